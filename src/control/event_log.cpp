// SPDX-License-Identifier: MIT
#include "control/event_log.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace longcord {

using nlohmann::json;

const Event& EventLog::add(Event event) {
    event.seq = ++last_;
    events_.push_back(std::move(event));
    if (events_.size() > capacity_)
        events_.pop_front();
    return events_.back();
}

static std::optional<std::uint64_t> number(const json& args, const char* key) {
    if (!args.is_object())
        return std::nullopt;
    const auto found = args.find(key);
    if (found == args.end() || !found->is_number_integer() || *found < 0)
        return std::nullopt;
    return found->get<std::uint64_t>();
}

json EventLog::to_json(const json& args) const {
    const std::uint64_t since = number(args, "since").value_or(0);
    auto first = std::ranges::upper_bound(events_, since, {}, &Event::seq);
    const auto limit = number(args, "limit");
    if (const auto there = static_cast<std::uint64_t>(events_.end() - first);
        limit && *limit < there)
        first = events_.end() - static_cast<std::ptrdiff_t>(*limit);
    json list = json::array();
    for (; first != events_.end(); ++first)
        list.push_back(longcord::to_json(*first));
    return {{"events", std::move(list)}};
}

} // namespace longcord
