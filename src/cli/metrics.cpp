// SPDX-License-Identifier: MIT
// longcord metrics: numbers for Prometheus, for a node_exporter textfile or a small web server.
#include "base/files.hpp"
#include "cli/json_fields.hpp"
#include "cli/output.hpp"
#include "cli/verbs.hpp"

namespace longcord {

using nlohmann::json;

namespace {

struct MetricsOptions {
    Common common;
    std::string output;
};

/// Numbers of a service that is gone are worse than none: nobody may take them for today's.
ExitCode without(const MetricsOptions& options, const Failure& failure) {
    std::error_code ignored;
    if (!options.output.empty())
        std::filesystem::remove(options.output, ignored);
    return complain(failure, options.common.json);
}

ExitCode metrics(const MetricsOptions& options) {
    auto service = find_service(options.common);
    if (!service)
        return without(options, service.error());
    const auto reply = ask(*service, "metrics", json::object());
    if (!reply)
        return without(options, reply.error());
    // Not text_field(): that is for one line of a terminal.
    const auto& text = field(*reply, "text");
    const std::string numbers = text.is_string() ? text.get<std::string>() : std::string();
    if (!options.output.empty()) {
        if (const auto written = write_file(options.output, numbers); !written)
            return complain({ExitCode::failed, written.error()}, options.common.json);
    } else if (options.common.json) {
        print_json(*reply);
    } else {
        print(numbers);
    }
    return ExitCode::done;
}

} // namespace

void add_metrics(CLI::App& app, ExitCode& exit) {
    auto options = std::make_shared<MetricsOptions>();
    CLI::App* verb = app.add_subcommand("metrics", "Print numbers in Prometheus' text format");
    verb->add_option(
            "-o,--output", options->output,
            "Write them to FILE, as a whole; remove it where no service answers")
        ->option_text("FILE");
    add_common(*verb, options->common, true);
    verb->footer(
        "longcord-metrics.timer does so once a minute, into the folder from which Debian's\n"
        "prometheus-node-exporter reads: systemctl enable --now longcord-metrics.timer");
    verb->callback([options, &exit] { exit = metrics(*options); });
}

} // namespace longcord
