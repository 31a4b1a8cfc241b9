// SPDX-License-Identifier: MIT
#include "doctor/pve_checks.hpp"

#include "base/files.hpp"
#include "base/text.hpp"
#include "doctor/hookscript_checks.hpp"
#include "proxmox/vm_config.hpp"

#include <map>
#include <optional>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace longcord {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_config = 512 * 1024;

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

Findings check_pve(const Roots& roots, bool hot_add) {
    std::error_code ignored;
    if (!fs::exists(roots.pve() / "local", ignored)) {
        if (!fs::exists(roots.pve(), ignored))
            return {good("Proxmox", "is not on this machine: VMs are those of host.yaml")};
        return {
            bad("/etc/pve", "is not mounted: rules and VMs cannot be read",
                "systemctl status pve-cluster")};
    }
    Findings findings{check_quorum(roots)};
    for (auto& finding : check_hookscripts(roots))
        findings.push_back(std::move(finding));
    for (const auto& [vmid, config] : hot_add ? std::map<unsigned, VmConfig>() : configs(roots))
        for (auto& finding : check_controller(roots, vmid, config))
            findings.push_back(std::move(finding));
    return findings;
}

/// What the scripts that Longcord replaces have in their udev rules: the blog's qmp_device_add.py,
/// hotplugger.py, usb-libvirt-hotplug.sh and its virsh, notify-vm.sh of USB/IP into the VM.
static constexpr std::string_view marks[] = {"device_add",      "hotplugger", "usb-hotplug",
                                             "libvirt-hotplug", "virsh",      "notify-vm",
                                             "usbip",           "qm "};

static std::optional<std::string_view> mark_in(const std::string& text) {
    if (text.find("usb") == std::string::npos || text.find("RUN") == std::string::npos)
        return std::nullopt;
    for (const auto mark : marks)
        if (text.find(mark) != std::string::npos)
            return mark;
    return std::nullopt;
}

Findings check_old_udev_rules(const Roots& roots) {
    Findings findings;
    for (const char* folder :
         {"etc/udev/rules.d", "usr/local/lib/udev/rules.d", "run/udev/rules.d"})
        for (const auto& file : files_in(roots.prefix / folder)) {
            const auto text = read_file(file, max_config);
            const auto mark = text ? mark_in(*text) : std::nullopt;
            if (mark)
                findings.push_back(warning(
                    file.string(),
                    fmt::format(
                        "runs \"{}\" for USB devices: two programs would plug the same", *mark),
                    "remove it once your rules are in place, and: udevadm control --reload"));
        }
    return findings;
}

} // namespace longcord
