// SPDX-License-Identifier: MIT
// What the beginning and the end of an action change in the World.
#include "plan/changes.hpp"
#include "plan/vhci_ports.hpp"

namespace longcord {

void action_started(World& world, const Action& action) {
    if (const auto* look = std::get_if<LookAtVm>(&action)) {
        if (const auto vm = world.vms.find(look->vmid); vm != world.vms.end())
            vm->second.looking = true;
        return;
    }
    if (const auto* add = std::get_if<AddController>(&action)) {
        if (const auto vm = world.vms.find(add->vmid); vm != world.vms.end())
            vm->second.adding_controller = true;
        return;
    }
    world.in_flight.insert_or_assign(*place_of(action), action);
}

void action_ended(World& world, const Action& action, const Result<>& result, TimePoint now) {
    if (const auto* look = std::get_if<LookAtVm>(&action)) {
        if (const auto vm = world.vms.find(look->vmid); vm != world.vms.end())
            vm->second.looking = false;
        return;
    }
    if (const auto* add = std::get_if<AddController>(&action)) {
        if (const auto vm = world.vms.find(add->vmid); vm != world.vms.end()) {
            vm->second.adding_controller = false;
            vm->second.add_error = result ? "" : result.error().message;
            if (result)
                vm->second.add_backoff.succeeded();
            else
                vm->second.add_backoff.failed(now);
        }
        return;
    }
    const Place& place = *place_of(action);
    world.in_flight.erase(place);
    if (!result) {
        History& history = world.history[place];
        history.backoff.failed(now);
        history.last_error = result.error().message;
    } else if (std::holds_alternative<PlugDevice>(action)) {
        world.history[place].backoff.succeeded();
        world.history[place].last_error.clear();
    }
    if (const auto* plug = std::get_if<PlugDevice>(&action)) {
        const auto vm = world.vms.find(plug->vmid);
        if (!result && result.error().kind == ErrorKind::unknown && vm != world.vms.end()) {
            vm->second.stale = true;
            world.doubtful_plugs[place] = plug->vmid;
        }
    } else if (const auto* authorize = std::get_if<AuthorizeImport>(&action)) {
        for (auto& [port, import] : world.imports)
            if (import.place == authorize->place && import.local &&
                import.local->sysfs_path == authorize->sysname) {
                import.ready = result.has_value();
                import.authorized_at = now;
            }
    } else if (const auto* unplug = std::get_if<UnplugDevice>(&action)) {
        if (!unplug->deauthorize.empty())
            for (auto& [port, import] : world.imports)
                if (import.place == place)
                    import.ready = false;
    } else if (const auto* detach = std::get_if<DetachImport>(&action)) {
        if (detach->in_vain) {
            world.history[place].backoff.failed(now);
            world.history[place].last_error = detach->why;
        }
        const auto import = world.imports.find(detach->vhci_port);
        // What the kernel is to remove yet is over when vhci's table is read after that.
        if (result && import != world.imports.end() && !import->second.local) {
            enumeration_over(world, detach->vhci_port, !detach->in_vain, now);
            world.imports.erase(import);
        }
    }
}

} // namespace longcord
