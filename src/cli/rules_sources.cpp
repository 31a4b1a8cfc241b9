// SPDX-License-Identifier: MIT
#include "cli/rules_sources.hpp"

#include "base/text.hpp"
#include "config/host_config.hpp"

#include <algorithm>

namespace longcord {

namespace fs = std::filesystem;

/// Nullopt: the folder cannot be read, or is not there.
static std::optional<std::vector<fs::path>> files_in(const fs::path& folder) {
    std::error_code error;
    std::vector<fs::path> out;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error))
        out.push_back(entry->path());
    if (error)
        return std::nullopt;
    return out;
}

std::vector<fs::path> rules_files(const Roots& roots) {
    std::vector<fs::path> out;
    for (const fs::path& file :
         files_in(roots.pve() / "qemu-server").value_or(std::vector<fs::path>{}))
        if (vmid_of_rules_file(file.native()))
            out.push_back(file);
    std::ranges::sort(
        out, {}, [](const fs::path& file) { return vmid_of_rules_file(file.native()); });
    return out;
}

std::optional<std::vector<unsigned>> known_vmids(const Roots& roots) {
    const auto files = files_in(roots.pve() / "qemu-server");
    if (!files)
        return std::nullopt;
    std::vector<unsigned> out;
    for (const fs::path& file : *files)
        if (file.extension() == ".conf")
            if (const auto vmid = parse_decimal(file.stem().native()))
                out.push_back(*vmid);
    return out;
}

std::optional<std::vector<std::string>> known_pis(const Roots& roots) {
    const auto cluster = files_in(roots.pve() / "priv/longcord/pis");
    const auto local = files_in(roots.config() / "pis");
    if (!cluster && !local)
        return std::nullopt;
    std::vector<std::string> out;
    for (const auto& files : {cluster, local})
        for (const fs::path& file : files.value_or(std::vector<fs::path>{}))
            out.push_back(file.filename().string());
    if (const auto config = load_host_config(roots.config() / "host.yaml")) {
        for (const auto& [name, settings] : config->pis)
            out.push_back(name);
        for (const auto& [name, address] : config->usbip_servers)
            out.push_back(name);
    }
    return out;
}

MachineRules check_machines(const Roots& roots) {
    const fs::path file = roots.config() / "host.yaml";
    MachineRules out;
    const auto config = load_host_config(file);
    if (!config) {
        // `longcord-host --check-config` tells all; here it matters that the rules in it are lost.
        out.diagnostics.push_back(
            {file.string(),
             {Diagnostic::Severity::error, 1, 1,
              "the rules under virtual_machines cannot be read: " +
                  config.error().message.substr(0, config.error().message.find('\n'))}});
        return out;
    }
    for (const MachineConfig& machine : config->virtual_machines)
        for (const MachineConfig::Port& port : machine.ports) {
            ParsedRules parsed = parse_rules(port.text);
            out.rules += parsed.rules.size();
            for (Diagnostic& diagnostic : parsed.diagnostics) {
                diagnostic.line = port.line;
                out.diagnostics.push_back({file.string(), std::move(diagnostic)});
            }
        }
    return out;
}

} // namespace longcord
