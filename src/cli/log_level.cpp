// SPDX-License-Identifier: MIT
// longcord log-level [LEVEL]: how much a service logs, changed while it runs.
#include "cli/json_fields.hpp"
#include "cli/output.hpp"
#include "cli/verbs.hpp"

#include <fmt/core.h>

namespace longcord {

using nlohmann::json;

namespace {

struct LogLevelOptions {
    Common common;
    std::string level;
};

} // namespace

static ExitCode ask_log_level(const LogLevelOptions& options) {
    const bool as_json = options.common.json;
    auto service = find_service(options.common);
    if (!service)
        return complain(service.error(), as_json);
    const json args = options.level.empty() ? json::object() : json{{"level", options.level}};
    const auto reply = ask(*service, "log-level", args);
    if (!reply)
        return complain(reply.error(), as_json);
    if (as_json) {
        print_json(*reply);
        return ExitCode::done;
    }
    const auto level = text_field(*reply, "level");
    const auto configured = text_field(*reply, "configured");
    print(
        level == configured ? fmt::format("{}, as configured\n", level)
                            : fmt::format(
                                  "{} until the service is started or reloaded; configured: {}\n",
                                  level, configured));
    return ExitCode::done;
}

void add_log_level(CLI::App& app, ExitCode& exit) {
    auto options = std::make_shared<LogLevelOptions>();
    CLI::App* verb = app.add_subcommand("log-level", "Change how much a service logs, or show it");
    verb->add_option("LEVEL", options->level, "trace, debug, info, warn or error; none: show it")
        ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error"}))
        ->type_name("");
    add_common(*verb, options->common, true);
    verb->footer(
        "It counts at once, and until the service is started again or reads its configuration\n"
        "again; log_level in host.yaml or pi.yaml counts for good.");
    verb->callback([options, &exit] { exit = ask_log_level(*options); });
}

} // namespace longcord
