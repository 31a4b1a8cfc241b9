// SPDX-License-Identifier: MIT
// longcord attach PLACE VM | detach PLACE | resume PLACE: by hand, over the rules. On a Pi, detach
// and resume say whether a device goes to the nodes at all.
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
    bool all = false;
};

} // namespace

static ExitCode ask_by_hand(const ByHandOptions& options, const char* verb, const json& args) {
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
        text = place + (flag_field(*reply, "changed") ? ": the rules decide again\n"
                        : flag_field(*reply, "tried_anew")
                            ? ": the rules decide already; tried anew, its failures are forgotten\n"
                            : ": the rules decide already\n");
    }
    if (as_json)
        print_json(*reply);
    else
        print(text);
    return code;
}

/// Where only a Pi's service runs, or --on pi says so.
static bool is_on_pi(const ByHandOptions& options) {
    if (!options.common.on.empty())
        return options.common.on == "pi";
    return !find_service(options.common, Role::host) && find_service(options.common, Role::pi);
}

static ExitCode ask_pi(const ByHandOptions& options, const char* verb) {
    const bool as_json = options.common.json;
    auto service = find_service(options.common, Role::pi);
    if (!service)
        return complain(service.error(), as_json);
    const json args = options.all ? json{{"all", true}} : json{{"place", options.place}};
    const auto reply = ask(*service, verb, args);
    if (!reply)
        return complain(reply.error(), as_json);
    if (as_json) {
        print_json(*reply);
        return ExitCode::done;
    }
    const auto places = reply->find("places");
    if (places == reply->end() || places->empty())
        print("Nothing is plugged in there now.\n");
    else
        for (const json& place : *places)
            print(fmt::format(
                "{}: {}{}\n", text_field(place, "place"),
                flag_field(place, "exported") ? "is there for VMs: " : "stays on this machine: ",
                text_field(place, "why")));
    return ExitCode::done;
}

/// For both services: the node's where both run.
static ExitCode ask_either(const ByHandOptions& options, const char* verb) {
    if (options.place.empty() != options.all)
        return complain(
            {ExitCode::usage, fail(ErrorKind::invalid, "{} needs a place, or --all", verb)},
            options.common.json);
    if (is_on_pi(options))
        return ask_pi(options, verb);
    if (options.all)
        return complain(
            {ExitCode::usage, fail(ErrorKind::invalid, "--all is for a Pi; name a place")},
            options.common.json);
    return ask_by_hand(options, verb, {{"place", options.place}});
}

static void add_place(CLI::App& verb, ByHandOptions& options, bool both) {
    auto* place = verb.add_option(
        "PLACE", options.place, "Where it is plugged in: 3-4.1, workbench/1-1.2; on a Pi 1-1.2");
    place->type_name("");
    if (both)
        verb.add_flag("--all", options.all, "On a Pi: all devices that are there for VMs");
    else
        place->required();
    add_common(verb, options.common, both);
}

void add_by_hand(CLI::App& app, ExitCode& exit) {
    auto attached = std::make_shared<ByHandOptions>();
    CLI::App* attach =
        app.add_subcommand("attach", "Give a device to a VM by hand, over the rules");
    add_place(*attach, *attached, false);
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
    add_place(*detach, *detached, true);
    detach->footer(
        "No VM gets it, also over restarts, until `longcord resume PLACE`. On a Pi no node is\n"
        "told of what is plugged in there.");
    detach->callback([detached, &exit] { exit = ask_either(*detached, "detach"); });

    auto resumed = std::make_shared<ByHandOptions>();
    CLI::App* resume = app.add_subcommand("resume", "Let the rules decide about a place again");
    add_place(*resume, *resumed, true);
    resume->footer(
        "Ends what attach and detach did, and gives a device that is held off because it\n"
        "came and went too often a fresh start.");
    resume->callback([resumed, &exit] { exit = ask_either(*resumed, "resume"); });
}

} // namespace longcord
