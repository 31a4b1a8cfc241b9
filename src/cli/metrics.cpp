// SPDX-License-Identifier: MIT
// longcord metrics: numbers for Prometheus, for a node_exporter textfile or a small web server.
#include "cli/output.hpp"
#include "cli/verbs.hpp"

#include <nlohmann/json.hpp>

namespace longcord {

static ExitCode metrics(const Common& common) {
    auto service = find_service(common);
    if (!service)
        return complain(service.error(), common.json);
    const auto reply = ask(*service, "metrics", nlohmann::json::object());
    if (!reply)
        return complain(reply.error(), common.json);
    const auto text = reply->find("text");
    if (common.json)
        print_json(*reply);
    else if (text != reply->end() && text->is_string())
        print(text->get<std::string>());
    return ExitCode::done;
}

void add_metrics(CLI::App& app, ExitCode& exit) {
    auto common = std::make_shared<Common>();
    CLI::App* verb = app.add_subcommand("metrics", "Print numbers in Prometheus' text format");
    add_common(*verb, *common, true);
    verb->callback([common, &exit] { exit = metrics(*common); });
}

} // namespace longcord
