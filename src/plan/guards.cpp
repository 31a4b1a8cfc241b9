// SPDX-License-Identifier: MIT
#include "plan/guards.hpp"

#include <algorithm>

namespace longcord {

namespace {

constexpr std::string_view way_out = "write \"force\" in the rule to take it all the same";

/// What a line means on this node; a mapping may have several entries.
void add_line(
    unsigned vmid, const UsbLine& line, const UsbMappings& mappings, const std::string& node,
    std::vector<NativeUse>& uses) {
    NativeUse use{vmid, fmt::format("usb{}: {}", line.index, line.text), line.place, line.id};
    if (use.place || use.id)
        uses.push_back(use);
    const auto mapping = mappings.find(line.mapping);
    if (line.mapping.empty() || mapping == mappings.end())
        return;
    for (const auto& entry : mapping->second) {
        if (entry.node != node)
            continue;
        use.place = entry.place;
        use.id = entry.place ? std::nullopt : entry.id;
        if (use.place || use.id)
            uses.push_back(use);
    }
}

bool names(const NativeUse& use, const Situation& situation) {
    const Device* device = situation.device();
    if (use.id)
        return device && device->id == *use.id;
    // QEMU's host port is one of the two halves of a receptacle; the receptacle is what was given.
    const LocalDevice* here = situation.openable();
    return here && (here->device.place == *use.place || here->peer == *use.place);
}

/// "VM 101" for its QEMU, else the process' own name.
std::string name_of(const World& world, const HostUse::Opener& opener) {
    for (const auto& [vmid, vm] : world.vms)
        if (vm.pid == opener.pid)
            return fmt::format("the QEMU of VM {} (pid {})", vmid, opener.pid);
    return fmt::format("the process {} (pid {})", opener.name, opener.pid);
}

} // namespace

std::vector<NativeUse> native_uses(
    const std::map<unsigned, VmConfig>& configs, const UsbMappings& mappings,
    const std::string& node) {
    std::vector<NativeUse> uses;
    for (const auto& [vmid, config] : configs)
        for (const auto& line : config.usb)
            add_line(vmid, line, mappings, node, uses);
    return uses;
}

std::optional<std::string> named_by_usb_line(const World& world, const Situation& situation) {
    for (const auto& use : world.native)
        if (names(use, situation))
            return fmt::format(
                "VM {}'s own line \"{}\" names it: remove that line, or {}", use.vmid, use.text,
                way_out);
    return std::nullopt;
}

std::optional<std::string> used_by_host(const World& world, unsigned vmid, const HostUse& use) {
    if (!use.disk.empty())
        return fmt::format(
            "this host uses its disk {} (mounted, LVM, ZFS, md or swap): release it, or {}",
            use.disk, way_out);
    if (!use.network.empty())
        return fmt::format("{}: take it down, or {}", use.network, way_out);
    if (use.exported)
        return fmt::format("this machine exports it over USB/IP (usbip-host): {}", way_out);
    const auto vm = world.vms.find(vmid);
    for (const auto& opener : use.openers)
        if (vm == world.vms.end() || vm->second.pid != opener.pid)
            return fmt::format("{} has it: end that, or {}", name_of(world, opener), way_out);
    return std::nullopt;
}

const SeenUse* known_use(const World& world, const Place& place) noexcept {
    const auto seen = world.uses.find(place);
    const auto local = world.local.find(place);
    if (seen == world.uses.end() || local == world.local.end() ||
        seen->second.use.devnum != local->second.device.devnum)
        return nullptr;
    return &seen->second;
}

void use_seen(World& world, const Place& place, HostUse use, TimePoint now) {
    std::erase_if(
        world.uses, [&](const auto& entry) { return !world.local.contains(entry.first); });
    SeenUse& seen = world.uses[place];
    // An owner's QEMU counts as a use here too: that only makes the next look come later.
    const bool used =
        !use.disk.empty() || !use.network.empty() || use.exported || !use.openers.empty();
    if (!used || seen.use.devnum != use.devnum)
        seen.patience.succeeded();
    if (used)
        seen.patience.failed(now);
    seen.use = std::move(use);
    seen.read = now;
    seen.stale = false;
}

void uses_touched(World& world) {
    for (auto& [place, seen] : world.uses)
        seen.stale = true;
}

void node_closed(World& world, const std::string& node) {
    for (auto& [place, seen] : world.uses) {
        const auto local = world.local.find(place);
        if (local != world.local.end() && world.node_of(local->second.device) == node)
            seen.stale = true;
    }
}

} // namespace longcord
