// SPDX-License-Identifier: MIT
// longcord rescan: ask the plain USB/IP servers of host.yaml again.
#include "cli/json_fields.hpp"
#include "cli/output.hpp"
#include "cli/verbs.hpp"

namespace longcord {

using nlohmann::json;

static ExitCode rescan(Common common) {
    common.on = "host";
    auto service = find_service(common);
    if (!service)
        return complain(service.error(), common.json);
    const auto reply = ask(*service, "rescan", json::object());
    if (!reply)
        return complain(reply.error(), common.json);
    if (common.json) {
        print_json(*reply);
    } else {
        const json& servers = list_field(*reply, "servers");
        if (servers.empty())
            print("no plain USB/IP servers: see usbip_servers in host.yaml\n");
        for (const json& server : servers)
            print(fmt::format(
                "{}: {}\n", text_field(server, "name"),
                flag_field(server, "answered") ? text_field(server, "devices") + " devices"
                                               : text_field(server, "problem")));
    }
    for (const json& server : list_field(*reply, "servers"))
        if (!flag_field(server, "answered"))
            return ExitCode::degraded;
    return ExitCode::done;
}

void add_rescan(CLI::App& app, ExitCode& exit) {
    auto common = std::make_shared<Common>();
    CLI::App* verb =
        app.add_subcommand("rescan", "Ask the plain USB/IP servers of host.yaml again");
    add_common(*verb, *common, false);
    verb->footer(
        "Paired Pis tell what comes and goes by themselves. A plain server (usbip_servers in\n"
        "host.yaml) is asked at the start of longcord-host, after one of its streams ended, and "
        "now.");
    verb->callback([common, &exit] { exit = rescan(*common); });
}

} // namespace longcord
