// SPDX-License-Identifier: MIT
// longcord doctor: checks this machine, needs no service, says what to do.
#include "base/roots.hpp"
#include "cli/output.hpp"
#include "cli/verbs.hpp"
#include "config/host_config.hpp"
#include "doctor/clock_check.hpp"
#include "doctor/kernel_checks.hpp"
#include "doctor/port_checks.hpp"
#include "doctor/pve_checks.hpp"
#include "doctor/service_checks.hpp"
#include "doctor/sshd_check.hpp"

#include <algorithm>

namespace longcord {

using nlohmann::json;

namespace {

/// null: it does not answer.
json status_of(const char* service) {
    Common common;
    common.on = service;
    auto found = find_service(common);
    if (!found)
        return nullptr;
    auto reply = ask(*found, "status", json::object());
    return reply ? *reply : json(nullptr);
}

/// An error in host.yaml is the service's to tell.
bool adds_controllers(const Roots& roots) {
    const auto config = load_host_config(roots.config() / "host.yaml");
    return config && config->controllers.hot_add;
}

void append(Findings& all, Findings more) {
    std::ranges::move(more, std::back_inserter(all));
}

Findings examine(const Roots& roots, bool host, bool pi) {
    Findings findings;
    if (host) {
        const json status = status_of("host");
        append(findings, judge_host_status(status));
        append(findings, check_pi_ports(status));
        append(findings, check_node_kernel(roots, status.is_object()));
        append(findings, check_sshd());
        append(findings, check_pve(roots, adds_controllers(roots)));
        append(findings, check_old_udev_rules(roots));
    }
    if (pi) {
        append(findings, judge_pi_status(status_of("pi")));
        append(findings, check_pi_kernel(roots));
    }
    findings.push_back(check_clock());
    return findings;
}

const char* word(Finding::Level level) {
    return level == Finding::Level::good  ? "good"
           : level == Finding::Level::bad ? "bad"
                                          : "warning";
}

std::string view(const Findings& findings, const Look& look) {
    // One below the other, in the column that is wrapped: both are sentences.
    Table table({"", "SUBJECT", "FOUND, AND WHAT TO DO"});
    for (const auto& finding : findings) {
        const auto tone = finding.level == Finding::Level::good  ? Tone::good
                          : finding.level == Finding::Level::bad ? Tone::bad
                                                                 : Tone::warning;
        table.add({Cell(word(finding.level), tone), finding.subject, finding.what});
        if (!finding.todo.empty())
            table.add({"", "", "-> " + finding.todo});
    }
    return table.render(look, 0);
}

json to_json(const Findings& findings) {
    json list = json::array();
    for (const auto& finding : findings)
        list.push_back(
            {{"subject", finding.subject},
             {"level", word(finding.level)},
             {"what", finding.what},
             {"todo", finding.todo}});
    return {{"findings", std::move(list)}};
}

/// Which packages are on this machine: by their programs.
bool installed(const Roots& roots, const char* program) {
    std::error_code ignored;
    return std::filesystem::exists(roots.prefix / "usr/sbin" / program, ignored);
}

ExitCode doctor(const Common& common) {
    const Roots roots = Roots::from_environment();
    bool host = common.on == "host" || (common.on.empty() && installed(roots, "longcord-host"));
    const bool pi = common.on == "pi" || (common.on.empty() && installed(roots, "longcord-pi"));
    host = host || !pi;
    const Findings findings = examine(roots, host, pi);
    if (common.json)
        print_json(to_json(findings));
    else
        print(view(findings, look_of_terminal()));
    const auto any = [&](Finding::Level level) {
        return std::ranges::any_of(
            findings, [&](const Finding& finding) { return finding.level == level; });
    };
    return any(Finding::Level::bad)       ? ExitCode::failed
           : any(Finding::Level::warning) ? ExitCode::degraded
                                          : ExitCode::done;
}

} // namespace

void add_doctor(CLI::App& app, ExitCode& exit) {
    auto common = std::make_shared<Common>();
    CLI::App* verb = app.add_subcommand("doctor", "Find what keeps devices from their VMs");
    add_common(*verb, *common, true);
    verb->footer("Needs no running service. Exit code 1: something keeps devices from their VMs; "
                 "5: something\n"
                 "may; 0: all is well.");
    verb->callback([common, &exit] { exit = doctor(*common); });
}

} // namespace longcord
