// SPDX-License-Identifier: MIT
#include "plan/guest_port.hpp"

#include "base/text.hpp"
#include "plan/pins.hpp"

namespace longcord {

namespace {

/// Ours, else Proxmox' own, else any other xHCI that somebody gave the VM.
const GuestController* preferred_controller(const VmView& view) {
    const GuestController* best = nullptr;
    const auto rank = [](const GuestController& c) {
        return c.id == own_controller ? 0 : c.id == proxmox_controller ? 1 : 2;
    };
    for (const auto& controller : view.controllers)
        if (!best || rank(controller) < rank(*best) ||
            (rank(controller) == rank(*best) && controller.id < best->id))
            best = &controller;
    return best;
}

/// "2" and "2.1" both occupy port 2 (a device behind a hub of the guest's).
std::optional<unsigned> root_port(std::string_view port) {
    return parse_decimal(port.substr(0, port.find('.')));
}

} // namespace

GuestPorts::GuestPorts(const World& world) : world_(world) {
    for (const auto& [vmid, vm] : world.vms) {
        if (!vm.view)
            continue;
        for (const auto& device : vm.view->devices)
            if (const auto port = root_port(device.port))
                taken_[vmid].insert({device.bus, *port});
    }
    for (const auto& [place, action] : world.in_flight)
        if (const auto* plug = std::get_if<PlugDevice>(&action))
            taken_[plug->vmid].insert({plug->command.bus, plug->command.port});
}

bool GuestPorts::is_free(unsigned vmid, const GuestPort& port) const {
    const auto taken = taken_.find(vmid);
    return taken == taken_.end() || !taken->second.contains(port);
}

Result<GuestPort> GuestPorts::choose(
    unsigned vmid, const Place& place, std::optional<unsigned> wanted) {
    const Vm& vm = world_.vms.at(vmid);
    const GuestController* controller = vm.view ? preferred_controller(*vm.view) : nullptr;
    if (!controller)
        return fail(
            ErrorKind::not_found,
            "VM {} has no xHCI controller: run \"qm set {} --usb0 spice\", stop it and start it",
            vmid, vmid);
    const auto take = [&](GuestPort port) {
        taken_[vmid].insert(port);
        return port;
    };
    if (wanted) {
        const GuestPort port{controller->bus, *wanted};
        if (*wanted == 0 || *wanted > controller->ports)
            return fail(
                ErrorKind::invalid, "VM {}: port={} of the rule is not on {} (1 to {})", vmid,
                *wanted, controller->id, controller->ports);
        if (!is_free(vmid, port))
            return fail(
                ErrorKind::busy, "VM {}: port={} of the rule is taken on {}", vmid, *wanted,
                controller->id);
        return take(port);
    }
    if (const GuestPort* own = pinned_guest_port(world_, vmid, place))
        if (own->bus == controller->bus && own->port <= controller->ports && is_free(vmid, *own))
            return take(*own);
    std::set<GuestPort> pinned; // of other places: free now, but left for them while others are
    if (const auto intent = world_.intents.find(vmid); intent != world_.intents.end())
        for (const auto& [other, port] : intent->second.pins)
            pinned.insert(port);
    // Proxmox plugs its usbN at port N+1, from below, and fails silently where a port is taken: on
    // its own controller we come from above and stay off those.
    const unsigned lowest = controller->id == proxmox_controller ? vm.proxmox_ports + 1 : 1;
    for (const bool avoid_pinned : {true, false})
        for (unsigned number = controller->ports; number >= lowest; --number) {
            const GuestPort port{controller->bus, number};
            if (is_free(vmid, port) && !(avoid_pinned && pinned.contains(port)))
                return take(port);
        }
    return fail(
        ErrorKind::full, "VM {}: no free port on its controller {} ({} ports)", vmid,
        controller->id, controller->ports);
}

} // namespace longcord
