// SPDX-License-Identifier: MIT
// longcord test NODE: is the node there, and if not, what is in the way?
#include "cli/json_fields.hpp"
#include "cli/output.hpp"
#include "cli/verbs.hpp"

#include <fmt/core.h>

namespace longcord {

using nlohmann::json;

namespace {

/// What the service takes at most: 60 s to the login, 10 s for the link.
constexpr milliseconds longest_test{90'000};

struct TestOptions {
    Common common;
    std::string node;
};

} // namespace

static std::string line_of(const json& step) {
    const auto ok = step.find("ok");
    const bool tried = ok != step.end() && ok->is_boolean();
    return fmt::format(
        "{:<9} {:<7} {}\n", text_field(step, "step"),
        !tried        ? "-"
        : *ok == true ? "good"
                      : "failed",
        text_field(step, "detail"));
}

static ExitCode test_node(const TestOptions& options) {
    const bool as_json = options.common.json;
    auto service = find_service(options.common, Role::pi);
    if (!service)
        return complain(service.error(), as_json);
    const auto reply = service->call("test", {{"node", options.node}}, longest_test);
    if (!reply)
        return complain({ExitCode::failed, reply.error()}, as_json);
    if (as_json) {
        print_json(*reply);
    } else if (const auto steps = reply->find("steps"); steps != reply->end()) {
        for (const json& step : *steps)
            print(line_of(step));
    }
    return flag_field(*reply, "ok") ? ExitCode::done : ExitCode::failed;
}

void add_test(CLI::App& app, ExitCode& exit) {
    auto options = std::make_shared<TestOptions>();
    CLI::App* verb = app.add_subcommand("test", "On a Pi: test the connection to a node");
    verb->add_option("NODE", options->node, "Name or address, as `longcord status` shows it")
        ->required()
        ->type_name("");
    add_common(*verb, options->common, false);
    verb->footer(
        "Name, TCP, host key, login, service: each with its outcome. A link that is there\n"
        "is not disturbed.");
    verb->callback([options, &exit] { exit = test_node(*options); });
}

} // namespace longcord
