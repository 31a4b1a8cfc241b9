// SPDX-License-Identifier: MIT
#include "plan/pins.hpp"

#include "plan/stable_name.hpp"
#include "qmp/plug_id.hpp"

#include <algorithm>

namespace longcord {

/// Room for one more pin: the first that no device of now has goes.
static void make_room(const World& world, VmIntent& intent) {
    if (intent.pins.size() < VmIntent::most_pins)
        return;
    std::set<std::string> present;
    for (const auto& [place, device] : world.local)
        present.insert(stable_name(place, device.device.controller));
    for (const auto& [name, pi] : world.pis)
        for (const auto& [place, device] : pi.devices)
            present.insert(stable_name(place, device.controller));
    const auto gone = std::find_if(intent.pins.begin(), intent.pins.end(), [&](const auto& pin) {
        return !present.contains(pin.first);
    });
    intent.pins.erase(gone == intent.pins.end() ? intent.pins.begin() : gone);
}

void remember_guest_ports(World& world, unsigned vmid) {
    const auto vm = world.vms.find(vmid);
    if (vm == world.vms.end() || !vm->second.view)
        return;
    for (const auto& device : vm->second.view->devices) {
        const auto place = place_of_plug_id(device.id);
        const auto path = PortPath::parse(device.port);
        const auto name = place && path ? stable_name(world, *place) : std::nullopt;
        if (!name)
            continue;
        const GuestPort port{device.bus, path->ports.front()};
        VmIntent& intent = world.intents[vmid];
        const auto known = intent.pins.find(*name);
        if (known != intent.pins.end() && known->second == port)
            continue;
        if (known == intent.pins.end())
            make_room(world, intent);
        intent.pins[*name] = port;
        world.unsaved_intents.insert(vmid);
    }
}

void remember_guest_ports_of(World& world, const std::string& pi) {
    for (const auto& [vmid, vm] : world.vms) {
        const bool has_some = vm.view && std::any_of(
                                             vm.view->devices.begin(), vm.view->devices.end(),
                                             [&](const GuestDevice& device) {
                                                 const auto place = place_of_plug_id(device.id);
                                                 return place && place->pi == pi;
                                             });
        if (has_some)
            remember_guest_ports(world, vmid);
    }
}

void remember_vhci_port(World& world, const Place& place, unsigned port) {
    constexpr std::size_t many = 1024; // a Pi may name ever new places
    if (world.vhci_pins.size() >= many)
        world.vhci_pins.clear();
    if (const auto name = stable_name(world, place))
        world.vhci_pins[*name] = port;
}

const GuestPort* pinned_guest_port(const World& world, unsigned vmid, const Place& place) {
    const auto intent = world.intents.find(vmid);
    const auto name = stable_name(world, place);
    if (intent == world.intents.end() || !name)
        return nullptr;
    const auto pin = intent->second.pins.find(*name);
    return pin == intent->second.pins.end() ? nullptr : &pin->second;
}

std::optional<unsigned> pinned_vhci_port(const World& world, const Place& place) {
    const auto name = stable_name(world, place);
    if (!name)
        return std::nullopt;
    const auto pin = world.vhci_pins.find(*name);
    return pin == world.vhci_pins.end() ? std::nullopt : std::optional(pin->second);
}

} // namespace longcord
