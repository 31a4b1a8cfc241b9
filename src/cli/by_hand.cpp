// SPDX-License-Identifier: MIT
// longcord attach PLACE VM | detach PLACE | resume PLACE: by hand, over the rules.
#include "cli/json_fields.hpp"
#include "cli/output.hpp"
#include "cli/verbs.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace longcord {

using nlohmann::json;

namespace {

struct ByHandOptions {
    Common common;
    std::string place;
    std::string vm;
    bool force = false;
};

} // namespace

static ExitCode ask_by_hand(const ByHandOptions& options, const char* verb, json args) {
    const bool as_json = options.common.json;
    auto service = find_service(options.common, Role::host);
    if (!service)
        return complain(service.error(), as_json);
    auto reply = ask(*service, verb, args);
    if (!reply)
        return complain(reply.error(), as_json);
    const std::string state = text_field(*reply, "state");
    const std::string why = text_field(*reply, "why");
    const std::string place = text_field(*reply, "place");
    ExitCode code = ExitCode::done;
    std::string text;
    if (std::string_view(verb) == "attach") {
        code = state == "plugged" ? ExitCode::done : ExitCode::degraded;
        text = fmt::format(
            "{}: {}{}\n", place, state == "plugged" ? "plugged into VM " + options.vm : state,
            why.empty() ? "" : ": " + why);
    } else if (std::string_view(verb) == "detach") {
        code = state.empty() || state == "unclaimed" ? ExitCode::done : ExitCode::degraded;
        text = fmt::format("{}: {}\n", place, why.empty() ? "detached by hand" : why);
    } else {
        text = flag_field(*reply, "changed") ? fmt::format("{}: the rules decide again\n", place)
                                             : fmt::format("{}: the rules decide already\n", place);
    }
    if (as_json)
        print_json(*reply);
    else
        print(text);
    return code;
}

static void add_place(CLI::App& verb, ByHandOptions& options) {
    verb.add_option("PLACE", options.place, "Where it is plugged in: 3-4.1, workbench/1-1.2")
        ->required()
        ->type_name("");
    add_common(verb, options.common, false);
}

void add_by_hand(CLI::App& app, ExitCode& exit) {
    auto attached = std::make_shared<ByHandOptions>();
    CLI::App* attach =
        app.add_subcommand("attach", "Give a device to a VM by hand, over the rules");
    add_place(*attach, *attached);
    attach->add_option("VM", attached->vm, "VMID, or the name of a machine of host.yaml")
        ->required()
        ->type_name("");
    attach->add_flag("--force", attached->force, "Also what a guard refuses: a disk in use, ...");
    attach->footer("It stays so, also over restarts, until `longcord resume PLACE`.\n"
                   "Exit code 5: the VM does not have it yet; the reason is printed.");
    attach->callback([attached, &exit] {
        exit = ask_by_hand(
            *attached, "attach",
            {{"place", attached->place}, {"vmid", attached->vm}, {"force", attached->force}});
    });

    auto detached = std::make_shared<ByHandOptions>();
    CLI::App* detach = app.add_subcommand("detach", "Take a device from its VM by hand");
    add_place(*detach, *detached);
    detach->footer("No VM gets it, also over restarts, until `longcord resume PLACE`.");
    detach->callback([detached, &exit] {
        exit = ask_by_hand(*detached, "detach", {{"place", detached->place}});
    });

    auto resumed = std::make_shared<ByHandOptions>();
    CLI::App* resume = app.add_subcommand("resume", "Let the rules decide about a place again");
    add_place(*resume, *resumed);
    resume->footer(
        "Ends what attach and detach did, and gives a device that is held off because it\n"
        "came and went too often a fresh start.");
    resume->callback([resumed, &exit] {
        exit = ask_by_hand(*resumed, "resume", {{"place", resumed->place}});
    });
}

} // namespace longcord
