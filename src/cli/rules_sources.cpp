// SPDX-License-Identifier: MIT
#include "cli/rules_sources.hpp"

#include "base/files.hpp"
#include "base/text.hpp"
#include "config/host_config.hpp"
#include "proxmox/vm_config.hpp"
#include "proxmox/vm_files.hpp"
#include "proxmox/vm_intent.hpp"
#include "proxmox/vm_place.hpp"
#include "usb/sysfs_reader.hpp"

#include <algorithm>
#include <iterator>

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

/// nodes/*/qemu-server but this node's own.
static std::vector<fs::path> other_folders(const Roots& roots) {
    std::vector<fs::path> out;
    std::error_code error;
    const auto own = fs::read_symlink(roots.pve() / "local", error).filename();
    for (const fs::path& node : files_in(roots.pve() / "nodes").value_or(std::vector<fs::path>{}))
        if (node.filename() != own)
            out.push_back(node / "qemu-server");
    return out;
}

static std::vector<unsigned> vmids_in(const fs::path& folder) {
    std::vector<unsigned> out;
    for (const fs::path& file : files_in(folder).value_or(std::vector<fs::path>{}))
        if (file.extension() == ".conf")
            if (const auto vmid = parse_decimal(file.stem().native()))
                out.push_back(*vmid);
    return out;
}

std::vector<fs::path> rules_files(const Roots& roots) {
    std::vector<fs::path> out;
    const fs::path own = roots.pve() / "qemu-server";
    for (const fs::path& file : files_in(own).value_or(std::vector<fs::path>{}))
        if (vmid_of_rules_file(file.native()))
            out.push_back(file);
    const auto here = vmids_in(own);
    for (const fs::path& folder : other_folders(roots))
        for (const fs::path& file : files_in(folder).value_or(std::vector<fs::path>{})) {
            const auto vmid = vmid_of_rules_file(file.native());
            if (vmid && std::ranges::find(here, *vmid) != here.end())
                out.push_back(file);
        }
    std::ranges::stable_sort(
        out, {}, [](const fs::path& file) { return vmid_of_rules_file(file.native()); });
    return out;
}

std::optional<std::vector<unsigned>> known_vmids(const Roots& roots) {
    if (!files_in(roots.pve() / "qemu-server"))
        return std::nullopt;
    auto out = vmids_in(roots.pve() / "qemu-server");
    for (const fs::path& folder : other_folders(roots))
        std::ranges::copy(vmids_in(folder), std::back_inserter(out));
    return out;
}

std::map<unsigned, RulesOwner> known_owners(const Roots& roots) {
    constexpr std::size_t largest_config = 1024 * 1024;
    std::map<unsigned, RulesOwner> out;
    for (const unsigned vmid : vmids_in(roots.pve() / "qemu-server")) {
        const auto config =
            read_file(roots.pve() / "qemu-server" / fmt::format("{}.conf", vmid), largest_config);
        if (!config)
            continue;
        RulesOwner owner;
        owner.vm = parse_vm_config(*config).uuid;
        const auto text = read_file(intent_file(roots, vmid), largest_intent);
        const auto intent = parse_intent(text ? *text : "{}");
        owner.rules = intent ? intent->owner : "";
        out.emplace(vmid, std::move(owner));
    }
    return out;
}

std::vector<SeenDevice> plugged_devices(const Roots& roots) {
    std::vector<SeenDevice> out;
    for (auto& local : read_local_devices(roots))
        if (!local.on_vhci)
            out.push_back({local.device, local.devpath, local.peer, local.peer_devpath});
    return out;
}

/// No key was ever put there, which is not the same as a folder that is not shown to everybody.
static bool is_missing(const fs::path& folder) {
    std::error_code error;
    return fs::status(folder, error).type() == fs::file_type::not_found;
}

std::optional<std::vector<std::string>> known_pis(const Roots& roots) {
    const fs::path of_cluster = roots.pve() / "priv/longcord/pis";
    const fs::path of_node = roots.config() / "pis";
    const auto cluster = files_in(of_cluster);
    const auto local = files_in(of_node);
    const bool unreadable =
        (!cluster && !is_missing(of_cluster)) || (!local && !is_missing(of_node));
    const bool is_node = !is_missing(roots.pve()) || !is_missing(roots.config());
    if (!is_node || (unreadable && !cluster && !local))
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

MachineRules machine_rules(const Roots& roots) {
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
    unsigned number = highest_vmid;
    for (const MachineConfig& machine : config->virtual_machines)
        out.machines.push_back({++number, file.string(), parse_rules(machine.ports), machine.name});
    return out;
}

} // namespace longcord
