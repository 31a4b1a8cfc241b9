// SPDX-License-Identifier: MIT
// longcord portal-code: the code that sets the portal's password.
#include "cli/json_fields.hpp"
#include "cli/output.hpp"
#include "cli/verbs.hpp"

#include <cstdio>

#include <fmt/core.h>

namespace longcord {

static ExitCode portal_code(const Common& common) {
    auto service = find_service(common);
    if (!service)
        return complain(service.error(), common.json);
    const auto reply = ask(*service, "portal-code", nlohmann::json::object());
    if (!reply)
        return complain(reply.error(), common.json);
    if (common.json) {
        print_json(*reply);
        return ExitCode::done;
    }
    print(text_field(*reply, "code") + "\n");
    std::fflush(stdout);
    std::fputs(
        "Type it into the portal's page (http://this-machine:8080), which then takes a new "
        "password.\n"
        "It is good once, for 10 minutes.\n",
        stderr);
    return ExitCode::done;
}

void add_portal_code(CLI::App& app, ExitCode& exit) {
    auto common = std::make_shared<Common>();
    CLI::App* verb =
        app.add_subcommand("portal-code", "Show a code that sets the web portal's password");
    add_common(*verb, *common, true);
    verb->footer(
        "For the first password, and for a new one where it was forgotten. A code that was\n"
        "shown before is no good any more.");
    verb->callback([common, &exit] { exit = portal_code(*common); });
}

} // namespace longcord
