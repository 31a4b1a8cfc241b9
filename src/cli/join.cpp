// SPDX-License-Identifier: MIT
// longcord join TOKEN: this Pi introduces itself to a node. The steps are shown while they are
// done.
#include "cli/json_fields.hpp"
#include "cli/output.hpp"
#include "cli/verbs.hpp"

#include <cstdio>

#include <fmt/core.h>
#include <fmt/ranges.h>

namespace longcord {

using nlohmann::json;

namespace {

/// Nine nodes, four addresses each, none of which answers: nobody waits for that long.
constexpr milliseconds longest_join{600'000};

struct JoinOptions {
    Common common;
    std::vector<std::string> token; ///< one word; a terminal may have broken it into several
};

} // namespace

static void show_step(const json& event) {
    const std::string kind = text_field(event, "kind");
    if (kind == "joining" || kind == "joined" || kind == "linked")
        print(text_field(event, "message") + "\n");
}

static Failure because(const Error& error) {
    switch (error.kind) {
    case ErrorKind::invalid:
        return {ExitCode::usage, error};
    case ErrorKind::refused:
        return {ExitCode::refused, error};
    default:
        return {ExitCode::failed, error};
    }
}

static Attempt<json> join_showing_steps(
    ControlClient& service, ControlClient& events, const json& args, bool quiet) {
    const auto before = ask(events, "subscribe", {{"limit", 1}});
    if (!before)
        return before.error();
    if (auto asked = service.ask("join", args); !asked)
        return Failure{ExitCode::failed, asked.error()};
    for (;;) {
        const auto done = service.wait_beside(events, longest_join);
        if (!done)
            return Failure{ExitCode::failed, done.error()};
        if (*done)
            break;
        const auto event = events.next();
        if (!event)
            return Failure{ExitCode::failed, event.error()};
        if (!quiet && event->kind == ControlMessage::Kind::event)
            show_step(event->event);
    }
    auto reply = service.reply();
    if (!reply)
        return because(reply.error());
    return std::move(*reply);
}

static ExitCode join(const JoinOptions& options) {
    const bool as_json = options.common.json;
    auto service = find_service(options.common, Role::pi);
    if (!service)
        return complain(service.error(), as_json);
    auto events = find_service(options.common, Role::pi);
    if (!events)
        return complain(events.error(), as_json);
    const json args = {{"token", fmt::format("{}", fmt::join(options.token, ""))}};
    const auto reply = join_showing_steps(*service, *events, args, as_json);
    if (!reply)
        return complain(reply.error(), as_json);
    const bool linked = flag_field(*reply, "linked");
    if (as_json)
        print_json(*reply);
    else if (!linked)
        print("It is joined, and not linked yet; `longcord status` tells why.\n");
    return linked ? ExitCode::done : ExitCode::degraded;
}

void add_join(CLI::App& app, ExitCode& exit) {
    auto options = std::make_shared<JoinOptions>();
    CLI::App* verb = app.add_subcommand("join", "Introduce this Pi to a node");
    verb->add_option("TOKEN", options->token, "As `longcord pair NAME` on the node printed it")
        ->required()
        ->expected(1, -1)
        ->type_name("");
    add_common(*verb, options->common, false);
    verb->footer("Exit code 4: the token or the node's host key was refused. 5: joined, but not\n"
                 "linked yet.");
    verb->callback([options, &exit] { exit = join(*options); });
}

} // namespace longcord
