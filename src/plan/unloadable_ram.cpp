// SPDX-License-Identifier: MIT
#include "plan/unloadable_ram.hpp"

#include "qmp/plug_id.hpp"
#include "usb/place.hpp"

#include <algorithm>

#include <fmt/ranges.h>

namespace longcord {

namespace {

bool is_of(const UnloadableRam& ram, const SavedRam& saved) {
    return ram.snapshot == saved.snapshot && ram.stamp == saved.stamp;
}

std::map<GuestPort, std::string> plugged_into(const Vm& vm) {
    std::map<GuestPort, std::string> plugged;
    for (const auto& device : vm.view->devices) {
        const auto place = place_of_plug_id(device.id);
        const auto path = PortPath::parse(device.port);
        if (place && path && plugged.size() < UnloadableRam::most_ports)
            plugged[{device.bus, path->ports.front()}] = place->to_string();
    }
    return plugged;
}

/// True: something new was noted.
bool note(World& world, unsigned vmid, const SavedRam& saved) {
    const auto plugged = plugged_into(world.vms.at(vmid));
    if (plugged.empty())
        return false;
    auto& all = world.intents[vmid].unloadable;
    auto known =
        std::find_if(all.begin(), all.end(), [&](const auto& ram) { return is_of(ram, saved); });
    if (known == all.end())
        known = all.insert(all.end(), {saved.snapshot, saved.stamp, {}});
    const auto before = known->plugged.size();
    known->plugged.insert(plugged.begin(), plugged.end());
    if (known->plugged.size() == before)
        return false;
    world.unsaved_intents.insert(vmid);
    return true;
}

bool note_all(World& world, unsigned vmid) {
    const auto vm = world.vms.find(vmid);
    if (vm == world.vms.end() || !vm->second.view)
        return false;
    bool any = false;
    for (const auto& saved : vm->second.saved_ram)
        if (!saved.complete && note(world, vmid, saved))
            any = true;
    return any;
}

void forget_others(World& world, unsigned vmid, const std::vector<SavedRam>& saved) {
    const auto intent = world.intents.find(vmid);
    if (intent == world.intents.end())
        return;
    const auto gone = std::erase_if(intent->second.unloadable, [&](const UnloadableRam& ram) {
        return std::none_of(
            saved.begin(), saved.end(), [&](const SavedRam& one) { return is_of(ram, one); });
    });
    if (gone > 0)
        world.unsaved_intents.insert(vmid);
}

} // namespace

void note_unloadable_ram(World& world, unsigned vmid) {
    note_all(world, vmid);
}

std::vector<unsigned> saved_ram_seen(World& world, const std::map<unsigned, VmConfig>& configs) {
    std::vector<unsigned> noted;
    for (const auto& [vmid, config] : configs) {
        forget_others(world, vmid, config.saved_ram);
        if (const auto vm = world.vms.find(vmid); vm != world.vms.end())
            vm->second.saved_ram = config.saved_ram;
        if (note_all(world, vmid))
            noted.push_back(vmid);
    }
    return noted;
}

std::string how_to_load(unsigned vmid, const UnloadableRam& ram) {
    std::vector<std::string> places;
    std::string devices;
    for (const auto& [port, place] : ram.plugged) {
        places.push_back(place);
        // An address that no device has: it stays empty, and only gives the state a home.
        devices += fmt::format(
            " -device usb-host,id=rescue{}-{},bus={},port={},hostbus=127,hostport=1",
            port.bus.substr(0, port.bus.find('.')), port.port, port.bus, port.port);
    }
    const bool hibernation = ram.snapshot.empty();
    return fmt::format(
        "VM {}: {} with {} plugged and will not load; it does with{} in the args: line{} (see "
        "docs/snapshots.md)",
        vmid,
        hibernation ? "it was hibernated"
                    : fmt::format("the RAM of snapshot \"{}\" was saved", ram.snapshot),
        fmt::join(places, ", "), devices,
        hibernation ? "" : fmt::format(" of its section [{}]", ram.snapshot));
}

} // namespace longcord
