// SPDX-License-Identifier: MIT
#include "control/event.hpp"

#include <cstdio>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace longcord {

using nlohmann::json;

static json text_or_null(const std::string& text) {
    return text.empty() ? json() : json(text);
}

json to_json(const Event& event) {
    return {
        {"seq", event.seq},
        {"time", format_time(event.time)},
        {"kind", event.kind},
        {"place", text_or_null(event.place)},
        {"vmid", event.vmid ? json(*event.vmid) : json()},
        {"pi", text_or_null(event.pi)},
        {"message", event.message},
        {"took_ms", event.took ? json(event.took->count()) : json()},
        {"address", text_or_null(event.address)}};
}

std::string format_time(EventTime time) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(time - day);
    return fmt::format(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
        static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
        clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
        clock.subseconds().count());
}

std::optional<EventTime> parse_time(const std::string& text) {
    constexpr std::size_t length = 24;
    int year = 0;
    unsigned month = 0;
    unsigned day = 0;
    unsigned hour = 0;
    unsigned minute = 0;
    unsigned second = 0;
    unsigned milli = 0;
    if (text.size() != length || text.back() != 'Z')
        return std::nullopt;
    // NOLINTNEXTLINE(cert-err34-c): every field has a width, and the whole is checked below
    if (std::sscanf(
            text.c_str(), "%4d-%2u-%2uT%2u:%2u:%2u.%3uZ", &year, &month, &day, &hour, &minute,
            &second, &milli) != 7)
        return std::nullopt;
    const auto date = std::chrono::year(year) / static_cast<int>(month) / static_cast<int>(day);
    if (!date.ok() || hour > 23 || minute > 59 || second > 60)
        return std::nullopt;
    return EventTime(std::chrono::sys_days(date)) + std::chrono::hours(hour) +
           std::chrono::minutes(minute) + seconds(second) + milliseconds(milli);
}

} // namespace longcord
