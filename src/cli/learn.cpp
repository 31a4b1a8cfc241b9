// SPDX-License-Identifier: MIT
// longcord learn: "plug it in now", and what to write in the rules for it.
#include "cli/json_fields.hpp"
#include "cli/output.hpp"
#include "cli/place_text.hpp"
#include "cli/verbs.hpp"

#include <cstdio>
#include <map>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace longcord {

using nlohmann::json;

namespace {

/// Which plugging-in of which device: one that is plugged in anew counts as new even in its old
/// place, since it was gone in between.
using Seen = std::map<std::string, json>;

} // namespace

static Attempt<Seen> devices_now(ControlClient& service) {
    const auto reply = ask(service, "devices", json::object());
    if (!reply)
        return reply.error();
    Seen seen;
    for (const json& device : list_field(*reply, "devices"))
        if (!text_field(device, "id").empty())
            seen
                [text_field(device, "place") + ' ' + text_field(device, "devnum") + ' ' +
                 label_of(device)] = device;
    return seen;
}

/// A value of a rule, quoted.
static std::string quoted(const std::string& value) {
    std::string text = "\"";
    for (const char c : value) {
        if (c == '"' || c == '\\')
            text += '\\';
        text += c;
    }
    return text + '"';
}

/// "workbench/platform-fe9c0000.xhci/1.2", which a reboot does not move; empty: not known.
static std::string place_by_controller(const json& device, const std::string& place) {
    const std::string controller = text_field(device, "controller");
    const auto slash = place.find('/');
    const auto port = place.find('-', slash == std::string::npos ? 0 : slash);
    if (controller.empty() || port == std::string::npos)
        return {};
    const std::string pi = slash == std::string::npos ? "" : place.substr(0, slash + 1);
    return pi + controller + '/' + place.substr(port + 1);
}

/// What keeps it from every VM, and what to do; empty: nothing does. A node sees of a Pi only what
/// that exports.
static std::string obstacle(const json& device) {
    const std::string mode = text_field(device, "mode");
    if (mode.empty() || mode == "usbip" || is_hub(device))
        return {};
    return fmt::format(
        "No VM can have it now: its mode is {} ({}).\n"
        "On this Pi: longcord mode {} usbip",
        mode, text_field(device, "why"), text_field(device, "place"));
}

/// `pi`: the name of the Pi that is asked, since its own places do not carry it.
static json learned(const json& device, const std::string& pi) {
    const std::string place = (pi.empty() ? "" : pi + "/") + text_field(device, "place");
    const std::string id = text_field(device, "id");
    const std::string serial = text_field(device, "serial");
    json result{
        {"place", place},
        {"id", id},
        {"device", label_of(device)},
        {"hub", is_hub(device)},
        {"rule", place},
        {"rule_by_controller", place_by_controller(device, place)},
        {"rule_anywhere", nullptr},
        {"obstacle", obstacle(device)}};
    if (!is_hub(device)) // hubs are never plugged, only what is below them
        result["rule_anywhere"] = "*/* " + id + (serial.empty() ? "" : " serial=" + quoted(serial));
    return result;
}

static std::string learned_view(const json& found) {
    std::string text = fmt::format(
        "place   {}\ndevice  {}\n", text_field(found, "place"), text_field(found, "device"));
    const auto say = [&](const char* what, const char* field) {
        if (const std::string rule = text_field(found, field); !rule.empty())
            text += fmt::format("\n{}:\n  {}", what, rule);
    };
    say(flag_field(found, "hub") ? "A hub. A rule for whatever is plugged into it"
                                 : "A rule for whatever is plugged in there",
        "rule");
    say("The same, also when the buses are numbered anew", "rule_by_controller");
    say("A rule for this device wherever it is plugged in", "rule_anywhere");
    text +=
        fmt::format("\n\nOn the node: longcord rules add VMID '{}'\n", text_field(found, "rule"));
    if (const std::string why = text_field(found, "obstacle"); !why.empty())
        text += "\n" + why + "\n";
    return text;
}

namespace {

struct LearnOptions {
    Common common;
    unsigned timeout_s = 300;
};

} // namespace

static Failure nothing_came(unsigned timeout_s, bool on_pi) {
    return {
        ExitCode::failed,
        fail(
            ErrorKind::timeout, "nothing was plugged in for {} s{}", timeout_s,
            on_pi ? ""
                  : "; what a Pi does not export is seen by \"longcord learn\" on that Pi "
                    "only")};
}

static ExitCode learn(const LearnOptions& options) {
    const Common& common = options.common;
    auto service = find_service(common);
    auto follower = find_service(common);
    if (!service || !follower)
        return complain(service ? follower.error() : service.error(), common.json);
    const auto status = ask(*service, "status", json::object());
    if (!status)
        return complain(status.error(), common.json);
    const std::string pi =
        text_field(*status, "role") == "pi" ? text_field(*status, "name") : std::string();
    // First the stream, then the look: what comes in between is in one of them.
    const auto subscribed = ask(*follower, "subscribe", {{"limit", 0}});
    if (!subscribed)
        return complain(subscribed.error(), common.json);
    auto known = devices_now(*service);
    if (!known)
        return complain(known.error(), common.json);
    std::fputs("Plug it in now (or out and in again). Ctrl-C ends.\n", stderr);
    const TimePoint until = Clock::now() + seconds(options.timeout_s);
    for (;;) {
        const auto message = follower->next(until);
        if (!message && message.error().kind == ErrorKind::timeout)
            return complain(nothing_came(options.timeout_s, !pi.empty()), common.json);
        if (!message)
            return complain({ExitCode::failed, message.error()}, common.json);
        auto again = find_service(common); // the one from before may have been closed as idle
        if (!again)
            return complain(again.error(), common.json);
        auto now = devices_now(*again);
        if (!now)
            return complain(now.error(), common.json);
        for (const auto& [key, device] : *now) {
            if (known->contains(key))
                continue;
            const json found = learned(device, pi);
            if (common.json)
                print_json(found);
            else
                print(learned_view(found));
            return ExitCode::done;
        }
        known = std::move(now); // what is gone may come again
    }
}

void add_learn(CLI::App& app, ExitCode& exit) {
    auto options = std::make_shared<LearnOptions>();
    CLI::App* verb =
        app.add_subcommand("learn", "Say which place a device is, as it is plugged in");
    constexpr unsigned a_day = 86'400;
    verb->add_option("--timeout", options->timeout_s, "Give up after so long (default: 300)")
        ->check(CLI::Range(1U, a_day).description(""))
        ->type_name("SECONDS");
    add_common(*verb, options->common, true);
    verb->footer("Waits for one device, prints its place and rules for it. On a node, devices of a "
                 "Pi count\n"
                 "where the Pi exports them; the others are learned on the Pi.");
    verb->callback([options, &exit] { exit = learn(*options); });
}

} // namespace longcord
