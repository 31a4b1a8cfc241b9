// SPDX-License-Identifier: MIT
// longcord leave [NODE]: this Pi forgets a cluster, and is forgotten by it.
#include "cli/json_fields.hpp"
#include "cli/output.hpp"
#include "cli/verbs.hpp"

#include <fmt/core.h>

namespace longcord {

using nlohmann::json;

namespace {

struct LeaveOptions {
    Common common;
    std::string node;
};

} // namespace

static ExitCode leave(const LeaveOptions& options) {
    const bool as_json = options.common.json;
    auto service = find_service(options.common, Role::pi);
    if (!service)
        return complain(service.error(), as_json);
    json args = json::object();
    if (!options.node.empty())
        args["node"] = options.node;
    constexpr milliseconds longest_leave{60'000};
    const auto reply = service->call("leave", args, longest_leave);
    if (!reply)
        return complain(
            {reply.error().kind == ErrorKind::invalid ? ExitCode::usage : ExitCode::failed,
             reply.error()},
            as_json);
    const std::string told = text_field(*reply, "told");
    if (as_json)
        print_json(*reply);
    else if (told.empty())
        print(fmt::format(
            "Left. No node could be told: run there `longcord unpair {}`\n",
            text_field(*reply, "pi")));
    else
        print(fmt::format(
            "Left. {} has forgotten this Pi (it was \"{}\" there)\n", told,
            text_field(*reply, "pi")));
    return told.empty() ? ExitCode::degraded : ExitCode::done;
}

void add_leave(CLI::App& app, ExitCode& exit) {
    auto options = std::make_shared<LeaveOptions>();
    CLI::App* verb = app.add_subcommand("leave", "Forget a node that this Pi has joined");
    verb->add_option("NODE", options->node, "Name or address; needed where several were joined")
        ->type_name("");
    add_common(*verb, options->common, false);
    verb->footer("All nodes of that cluster are left. This Pi's own key stays.");
    verb->callback([options, &exit] { exit = leave(*options); });
}

} // namespace longcord
