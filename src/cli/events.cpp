// SPDX-License-Identifier: MIT
// longcord events [--follow]: what happened, when, and how long each step took.
#include "cli/json_fields.hpp"
#include "cli/output.hpp"
#include "cli/place_text.hpp"
#include "cli/verbs.hpp"
#include "cli/views.hpp"
#include "control/event.hpp"

#include <ctime>

#include <fmt/core.h>

namespace longcord {

using nlohmann::json;

/// In this machine's time zone; a time that cannot be read is shown as it came.
static std::string local_time(const std::string& text) {
    const auto time = parse_time(text);
    if (!time)
        return text;
    const auto since_epoch = time->time_since_epoch();
    const std::time_t whole = std::chrono::floor<seconds>(since_epoch).count();
    std::tm local{};
    if (!localtime_r(&whole, &local))
        return text;
    return fmt::format(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:03}", local.tm_year + 1900, local.tm_mon + 1,
        local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec, since_epoch.count() % 1000);
}

static std::string took_text(const json& event) {
    const auto took = number_field(event, "took_ms");
    if (!took || *took < 0 || *took > 1e12)
        return {};
    return fmt::format("{:.0f} ms", *took);
}

/// At least `width` columns, and always two blanks behind it.
static std::string column(const std::string& text, Tone tone, std::size_t width, const Look& look) {
    const std::size_t shown = display_width(text);
    return coloured(text, tone, look) + std::string(shown < width ? width - shown : 0, ' ') + "  ";
}

std::string event_view(const json& event, const Look& look) {
    constexpr std::size_t took_width = 9;
    constexpr std::size_t kind_width = 11;
    constexpr std::size_t place_width = 16;
    constexpr std::size_t vm_width = 6;
    const std::string took = took_text(event);
    std::string place = text_field(event, "place");
    if (place.empty())
        place = text_field(event, "pi");
    std::string line = column(local_time(text_field(event, "time")), Tone::faint, 0, look);
    line += std::string(took.size() < took_width ? took_width - took.size() : 0, ' ') + took + "  ";
    line += column(text_field(event, "kind"), Tone::strong, kind_width, look);
    line += column(place, Tone::plain, place_width, look);
    line += column(vm_of(event), Tone::plain, vm_width, look);
    line += text_field(event, "message");
    line.erase(line.find_last_not_of(' ') + 1);
    return line + "\n";
}

namespace {

struct EventsOptions {
    Common common;
    bool follow = false;
    std::optional<unsigned> lines;
};

} // namespace

static void show(const json& event, bool as_json) {
    if (as_json)
        print_json(event, -1);
    else
        print(event_view(event, look_of_terminal()));
}

static ExitCode follow(ControlClient& service, const json& args, bool as_json) {
    const auto past = ask(service, "subscribe", args);
    if (!past)
        return complain(past.error(), as_json);
    double seen = 0; // an event can be in the past and in the stream
    for (const json& event : list_field(*past, "events")) {
        seen = std::max(seen, number_field(event, "seq").value_or(0));
        show(event, as_json);
    }
    while (true) {
        const auto next = service.next();
        if (!next)
            return complain(
                {ExitCode::failed, next.error().kind == ErrorKind::unavailable
                                       ? fail(ErrorKind::unavailable, "the service has stopped")
                                       : next.error()},
                as_json);
        if (next->kind == ControlMessage::Kind::lagged) {
            if (as_json)
                print_json({{"lagged", next->dropped}}, -1);
            else
                print(fmt::format(
                    "... {} events are missing here: they were not read fast "
                    "enough; `longcord events` has them\n",
                    next->dropped));
        } else if (const auto seq = number_field(next->event, "seq"); !seq || *seq > seen) {
            show(next->event, as_json);
        }
    }
}

static ExitCode events(const EventsOptions& options) {
    const bool as_json = options.common.json;
    auto service = find_service(options.common);
    if (!service)
        return complain(service.error(), as_json);
    constexpr unsigned before_following = 10; // as tail(1)
    json args = json::object();
    if (options.lines || options.follow)
        args["limit"] = options.lines.value_or(before_following);
    if (options.follow)
        return follow(*service, args, as_json);
    const auto reply = ask(*service, "events", args);
    if (!reply)
        return complain(reply.error(), as_json);
    if (as_json) {
        print_json(*reply);
        return ExitCode::done;
    }
    for (const json& event : list_field(*reply, "events"))
        show(event, false);
    return ExitCode::done;
}

void add_events(CLI::App& app, ExitCode& exit) {
    auto options = std::make_shared<EventsOptions>();
    CLI::App* verb = app.add_subcommand("events", "Show what happened, with times");
    verb->add_flag("-f,--follow", options->follow, "Go on with what happens, until Ctrl-C");
    verb->add_option(
            "-n,--lines", options->lines,
            "Only the newest N (default: all that is kept; 10 with --follow)")
        ->option_text("N");
    add_common(*verb, options->common, true);
    verb->footer(
        "The second column is how long that step took. The newest 10,000 events since the\n"
        "service started are kept. With --follow, --json prints one object a line.");
    verb->callback([options, &exit] { exit = events(*options); });
}

} // namespace longcord
