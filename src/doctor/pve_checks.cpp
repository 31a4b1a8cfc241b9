// SPDX-License-Identifier: MIT
#include "doctor/pve_checks.hpp"

#include "base/files.hpp"
#include "base/text.hpp"
#include "proxmox/vm_config.hpp"

#include <map>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace longcord {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_config = 512 * 1024;
constexpr std::string_view local_snippets = "local:snippets/";

std::vector<fs::path> files_in(const fs::path& folder) {
    std::vector<fs::path> files;
    std::error_code error;
    for (fs::directory_iterator file(folder, error), end; !error && file != end;
         file.increment(error))
        files.push_back(file->path());
    return files;
}

std::map<unsigned, VmConfig> configs(const Roots& roots) {
    std::map<unsigned, VmConfig> found;
    for (const auto& file : files_in(roots.pve() / "qemu-server")) {
        const auto vmid = parse_decimal(file.stem().string());
        if (!vmid || file.extension() != ".conf" || file.stem().has_extension())
            continue;
        if (const auto text = read_file(file, max_config))
            found.emplace(*vmid, parse_vm_config(*text));
    }
    return found;
}

Finding check_quorum(const Roots& roots) {
    const auto text = read_file(roots.pve() / ".members", max_config);
    const auto members = nlohmann::json::parse(text ? *text : "", nullptr, false);
    const auto cluster = members.is_object() ? members.find("cluster") : members.end();
    if (!text || !members.is_object() || cluster == members.end()) // a single node has none
        return good("cluster", "this node is in none, or it needs no quorum");
    const auto quorate = cluster->find("quorate");
    if (quorate != cluster->end() && quorate->is_number() && quorate->get<int>() == 0)
        return bad(
            "cluster", "has no quorum: rules cannot be written, nor Pis paired",
            "pvecm status; bring the other nodes back");
    return good("cluster", "has quorum");
}

Findings check_hookscript(const Roots& roots, unsigned vmid, const VmConfig& config) {
    if (!config.hookscript.starts_with(local_snippets))
        return {};
    const auto script =
        roots.prefix / "var/lib/vz/snippets" / config.hookscript.substr(local_snippets.size());
    std::error_code ignored;
    if (fs::exists(script, ignored))
        return {};
    return {bad(
        fmt::format("VM {}", vmid),
        fmt::format(
            "names the hookscript {}, which this node has not: it cannot start", config.hookscript),
        fmt::format("install longcord-host here, or: qm set {} --delete hookscript", vmid))};
}

Findings check_controller(const Roots& roots, unsigned vmid, const VmConfig& config) {
    std::error_code ignored;
    if (!fs::exists(roots.pve() / fmt::format("qemu-server/{}.usb.conf", vmid), ignored))
        return {};
    if (!config.usb.empty() || config.args.find("qemu-xhci") != std::string::npos)
        return {};
    return {
        bad(fmt::format("VM {}", vmid), "has rules and no xHCI controller to plug anything into",
            fmt::format("longcord vm prepare {}, and start the VM anew", vmid))};
}

} // namespace

Findings check_pve(const Roots& roots) {
    std::error_code ignored;
    if (!fs::exists(roots.pve() / "local", ignored)) {
        if (!fs::exists(roots.pve(), ignored))
            return {good("Proxmox", "is not on this machine: VMs are those of host.yaml")};
        return {
            bad("/etc/pve", "is not mounted: rules and VMs cannot be read",
                "systemctl status pve-cluster")};
    }
    Findings findings{check_quorum(roots)};
    for (const auto& [vmid, config] : configs(roots)) {
        for (auto& finding : check_hookscript(roots, vmid, config))
            findings.push_back(std::move(finding));
        for (auto& finding : check_controller(roots, vmid, config))
            findings.push_back(std::move(finding));
    }
    return findings;
}

Findings check_old_udev_rules(const Roots& roots) {
    Findings findings;
    for (const auto& file : files_in(roots.prefix / "etc/udev/rules.d")) {
        const auto text = read_file(file, max_config);
        if (!text || text->find("usb") == std::string::npos)
            continue;
        for (const std::string_view mark :
             {"hotplugger", "usb-hotplug", "device_add", "usbip", "qm "})
            if (text->find("RUN") != std::string::npos && text->find(mark) != std::string::npos) {
                findings.push_back(warning(
                    file.string(),
                    fmt::format(
                        "runs \"{}\" for USB devices: two programs would plug the same", mark),
                    "remove it once your rules are in place, and: udevadm control --reload"));
                break;
            }
    }
    return findings;
}

} // namespace longcord
