// SPDX-License-Identifier: MIT
// longcord rules check [FILE...]: needs no service.
#include "base/files.hpp"
#include "base/text.hpp"
#include "cli/output.hpp"
#include "cli/rules_sources.hpp"
#include "cli/verbs.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace longcord {

using nlohmann::json;
using Severity = Diagnostic::Severity;
namespace fs = std::filesystem;

namespace {

struct RulesCheckOptions {
    Common common;
    std::vector<std::string> files;
};

struct Findings {
    std::vector<FileDiagnostic> diagnostics;
    std::size_t files = 0;
    std::size_t rules = 0;
};

} // namespace

/// Files of VMs, and machines, are checked beside each other; a file with another name by itself.
static Attempt<Findings> check_files(
    const std::vector<fs::path>& paths, std::vector<RulesFile> files, const Roots& roots) {
    KnownWorld known;
    known.vmids = known_vmids(roots);
    known.pis = known_pis(roots);
    known.owners = known_owners(roots);
    known.devices = plugged_devices(roots);
    KnownWorld only_pis;
    only_pis.pis = known.pis;
    Findings out;
    for (const RulesFile& machine : files)
        out.rules += machine.parsed.rules.size();
    for (const fs::path& path : paths) {
        const auto text = read_file(path, 2 * max_rules_file); // parse_rules() names the real limit
        if (!text && text.error().kind != ErrorKind::invalid)
            return Failure{
                text.error().kind == ErrorKind::refused ? ExitCode::refused : ExitCode::failed,
                text.error()};
        RulesFile file{vmid_of_rules_file(path.native()).value_or(0), path.string(), {}};
        file.parsed = parse_rules(text ? *text : std::string(2 * max_rules_file, '#'));
        ++out.files;
        out.rules += file.parsed.rules.size();
        if (file.vmid > 0)
            files.push_back(std::move(file));
        else
            for (FileDiagnostic& found : check_rules(std::span(&file, 1), only_pis))
                out.diagnostics.push_back(std::move(found));
    }
    for (FileDiagnostic& found : check_rules(files, known))
        out.diagnostics.push_back(std::move(found));
    return out;
}

static std::size_t count(const Findings& findings, Severity severity) {
    std::size_t number = 0;
    for (const FileDiagnostic& found : findings.diagnostics)
        number += found.diagnostic.severity == severity ? 1 : 0;
    return number;
}

static std::string plural(std::size_t number, const char* one) {
    return fmt::format("{} {}{}", number, one, number == 1 ? "" : "s");
}

static std::string view(const Findings& findings, const Look& look) {
    std::string text;
    for (const auto& [file, diagnostic] : findings.diagnostics) {
        const Tone tone = diagnostic.severity == Severity::error     ? Tone::bad
                          : diagnostic.severity == Severity::warning ? Tone::warning
                                                                     : Tone::faint;
        text += fmt::format(
            "{}:{}:{}: {}: {}\n", printable(file, 4'000), diagnostic.line, diagnostic.column,
            coloured(to_string(diagnostic.severity), tone, look),
            printable(diagnostic.message, 4'000));
    }
    if (findings.files == 0 && findings.rules == 0)
        return text + "no rules files here: /etc/pve/qemu-server/<VMID>.usb.conf\n";
    return text + fmt::format(
                      "{}, {}: {}, {}\n", plural(findings.files, "rules file"),
                      plural(findings.rules, "rule"),
                      plural(count(findings, Severity::error), "error"),
                      plural(count(findings, Severity::warning), "warning"));
}

static json as_json(const Findings& findings) {
    json list = json::array();
    for (const auto& [file, diagnostic] : findings.diagnostics)
        list.push_back(
            {{"file", file},
             {"line", diagnostic.line},
             {"column", diagnostic.column},
             {"severity", to_string(diagnostic.severity)},
             {"message", diagnostic.message}});
    return {
        {"ok", count(findings, Severity::error) == 0},
        {"files", findings.files},
        {"rules", findings.rules},
        {"diagnostics", std::move(list)}};
}

static ExitCode rules_check(const RulesCheckOptions& options) {
    const Roots roots = Roots::from_environment();
    const bool everything = options.files.empty();
    std::vector<fs::path> paths(options.files.begin(), options.files.end());
    if (everything)
        paths = rules_files(roots);
    MachineRules machines = everything ? machine_rules(roots) : MachineRules{};
    auto findings = check_files(paths, std::move(machines.machines), roots);
    if (!findings)
        return complain(findings.error(), options.common.json);
    for (FileDiagnostic& found : machines.diagnostics)
        findings->diagnostics.push_back(std::move(found));
    if (options.common.json)
        print_json(as_json(*findings));
    else
        print(view(*findings, look_of_terminal()));
    return count(*findings, Severity::error) > 0 ? ExitCode::failed : ExitCode::done;
}

void add_rules(CLI::App& app, ExitCode& exit) {
    CLI::App* rules = app.add_subcommand("rules", "Check and change the rules of the VMs");
    rules->group("Verbs");
    rules->require_subcommand(1);
    auto options = std::make_shared<RulesCheckOptions>();
    CLI::App* verb =
        rules->add_subcommand("check", "Find errors, conflicts and orphans; needs no service");
    verb->add_option(
            "FILE", options->files,
            "Rules files (default: /etc/pve/qemu-server/*.usb.conf and host.yaml)")
        ->type_name("");
    add_common(*verb, options->common, false);
    verb->footer(
        "Prints file:line:column for each finding. Exit code 1: there are errors; 0: none, or\n"
        "warnings and notes only.");
    verb->callback([options, &exit] { exit = rules_check(*options); });
    add_rules_edit(*rules, exit);
    add_rules_adopt(*rules, exit);
}

} // namespace longcord
