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
        if (!is_hub(device) && !text_field(device, "id").empty())
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

/// `pi`: the name of the Pi that is asked, since its own places do not carry it.
static json learned(const json& device, const std::string& pi) {
    const std::string place = (pi.empty() ? "" : pi + "/") + text_field(device, "place");
    const std::string id = text_field(device, "id");
    const std::string serial = text_field(device, "serial");
    json result{{"place", place}, {"id", id}, {"device", label_of(device)}, {"rule", place}};
    result["rule_anywhere"] = "*/* " + id + (serial.empty() ? "" : " serial=" + quoted(serial));
    return result;
}

static std::string learned_view(const json& found) {
    return fmt::format(
        "place   {0}\ndevice  {1}\n\nA rule for whatever is plugged in there:\n  {2}\n"
        "A rule for this device wherever it is plugged in:\n  {3}\n\n"
        "On the node: longcord rules add VMID '{2}'\n",
        text_field(found, "place"), text_field(found, "device"), text_field(found, "rule"),
        text_field(found, "rule_anywhere"));
}

static ExitCode learn(const Common& common) {
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
    for (;;) {
        const auto message = follower->next();
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
    auto common = std::make_shared<Common>();
    CLI::App* verb =
        app.add_subcommand("learn", "Say which place a device is, as it is plugged in");
    add_common(*verb, *common, true);
    verb->footer("Waits for one device, prints its place and rules for it.");
    verb->callback([common, &exit] { exit = learn(*common); });
}

} // namespace longcord
