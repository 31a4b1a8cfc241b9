// SPDX-License-Identifier: MIT
#include "plan/guest_port.hpp"

#include "base/text.hpp"
#include "plan/machine_id.hpp"
#include "plan/pins.hpp"
#include "qmp/plug_id.hpp"

#include <algorithm>

#include <fmt/ranges.h>

namespace longcord {

namespace {

using Controllers = std::vector<const GuestController*>;

/// The buses that were asked for, in that order; else ours, Proxmox' own, any other xHCI.
Controllers usable_controllers(const Vm& vm) {
    Controllers usable;
    if (!vm.view)
        return usable;
    for (const auto& controller : vm.view->controllers)
        usable.push_back(&controller);
    const auto rank = [&](const GuestController& c) -> std::ptrdiff_t {
        if (!vm.buses.empty())
            return std::find(vm.buses.begin(), vm.buses.end(), c.bus) - vm.buses.begin();
        return c.id == own_controller ? 0 : c.id == proxmox_controller ? 1 : 2;
    };
    if (!vm.buses.empty())
        std::erase_if(
            usable, [&](const GuestController* c) { return rank(*c) == std::ssize(vm.buses); });
    std::sort(
        usable.begin(), usable.end(), [&](const GuestController* a, const GuestController* b) {
            return rank(*a) != rank(*b) ? rank(*a) < rank(*b) : a->id < b->id;
        });
    return usable;
}

Error no_controller(unsigned vmid, const Vm& vm) {
    if (!vm.buses.empty())
        return fail(
            ErrorKind::not_found,
            "VM {} has no xHCI controller with one of the buses that its 'hubs' name ({})", vmid,
            fmt::format("{}", fmt::join(vm.buses, ", ")));
    if (is_machine(vmid))
        return fail(
            ErrorKind::not_found,
            "VM {} has no xHCI controller: start its QEMU with -device qemu-xhci,id=longcord",
            vmid);
    if (!vm.add_error.empty())
        return fail(
            ErrorKind::not_found, "VM {}: no USB controller could be added: {}", vmid,
            vm.add_error);
    return fail(
        ErrorKind::not_found,
        "VM {0} has no xHCI controller: run \"longcord vm prepare {0}\", stop it and start it",
        vmid);
}

/// "2" and "2.1" both occupy port 2 (a device behind a hub of the guest's).
std::optional<unsigned> root_port(std::string_view port) {
    return parse_decimal(port.substr(0, port.find('.')));
}

} // namespace

std::optional<std::string> why_no_controller(unsigned vmid, const Vm& vm) {
    if (!usable_controllers(vm).empty())
        return std::nullopt;
    return no_controller(vmid, vm).message;
}

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

/// Who sits on this controller: "15: 3-1, 14: usb-tablet".
std::string GuestPorts::holders(unsigned vmid, const GuestController& controller) const {
    std::map<unsigned, std::string> by_port;
    for (const auto& device : world_.vms.at(vmid).view->devices) {
        const auto port = root_port(device.port);
        if (device.bus != controller.bus || !port)
            continue;
        const auto place = place_of_plug_id(device.id);
        by_port[*port] = place ? place->to_string() : device.id.empty() ? device.type : device.id;
    }
    for (const auto& [place, action] : world_.in_flight)
        if (const auto* plug = std::get_if<PlugDevice>(&action))
            if (plug->vmid == vmid && plug->command.bus == controller.bus)
                by_port[plug->command.port] = place.to_string();
    std::string text;
    for (const auto& [port, name] : by_port)
        text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", port, name);
    return text;
}

Error GuestPorts::all_taken(unsigned vmid, const Controllers& usable) const {
    std::string text;
    for (const GuestController* controller : usable) {
        const auto by = holders(vmid, *controller);
        const unsigned kept =
            controller->id == proxmox_controller ? world_.vms.at(vmid).proxmox_ports : 0;
        text += fmt::format(
            "{}{} ({} ports{}{}{})", text.empty() ? "" : " or ", controller->id, controller->ports,
            kept == 0 ? "" : fmt::format(", 1 to {} are for its usbN lines", kept),
            by.empty() ? "" : "; ", by);
    }
    return fail(ErrorKind::full, "VM {}: no free port on its controller {}", vmid, text);
}

Result<GuestPort> GuestPorts::choose(
    unsigned vmid, const Place& place, std::optional<unsigned> wanted) {
    const Vm& vm = world_.vms.at(vmid);
    const Controllers usable = usable_controllers(vm);
    if (usable.empty())
        return no_controller(vmid, vm);
    const auto take = [&](GuestPort port) {
        taken_[vmid].insert(port);
        return port;
    };
    if (wanted) {
        const GuestController& controller = *usable.front();
        const GuestPort port{controller.bus, *wanted};
        if (*wanted == 0 || *wanted > controller.ports)
            return fail(
                ErrorKind::invalid, "VM {}: port={} of the rule is not on {} (1 to {})", vmid,
                *wanted, controller.id, controller.ports);
        if (!is_free(vmid, port))
            return fail(
                ErrorKind::busy, "VM {}: port={} of the rule is taken on {} ({})", vmid, *wanted,
                controller.id, holders(vmid, controller));
        return take(port);
    }
    // Proxmox plugs its usbN at port N+1, from below, and fails silently where a port is taken: on
    // its own controller we come from above and stay off those, also where one was ours before.
    const auto lowest = [&](const GuestController* controller) {
        return controller->id == proxmox_controller ? vm.proxmox_ports + 1 : 1;
    };
    const GuestPort* own = pinned_guest_port(world_, vmid, place);
    for (const GuestController* controller : usable)
        if (own && own->bus == controller->bus && own->port >= lowest(controller) &&
            own->port <= controller->ports && is_free(vmid, *own))
            return take(*own);
    std::set<GuestPort> pinned; // of other places: free now, but left for them while others are
    if (const auto intent = world_.intents.find(vmid); intent != world_.intents.end())
        for (const auto& [other, port] : intent->second.pins)
            pinned.insert(port);
    for (const bool avoid_pinned : {true, false})
        for (const GuestController* controller : usable)
            for (unsigned number = controller->ports; number >= lowest(controller); --number) {
                const GuestPort port{controller->bus, number};
                if (is_free(vmid, port) && !(avoid_pinned && pinned.contains(port)))
                    return take(port);
            }
    return all_taken(vmid, usable);
}

} // namespace longcord
