// SPDX-License-Identifier: MIT
#include "plan/changes.hpp"

#include "plan/pins.hpp"
#include "plan/unloadable_ram.hpp"
#include "plan/vhci_ports.hpp"
#include "qmp/plug_id.hpp"

#include <algorithm>
#include <utility>

namespace longcord {

namespace {

/// A Pi may name ever new places; what is over and done with is dropped before it adds up. Not at
/// each event: only where as much has come again as was left the last time.
void forget_what_is_past(World& world, TimePoint now) {
    if (world.history.size() < world.history_limit)
        return;
    std::erase_if(world.history, [&](const auto& entry) {
        const auto& [place, history] = entry;
        return !world.local.contains(place) && !world.announced_at(place) &&
               history.forgettable(now);
    });
    world.history_limit = std::max(World::least_history_limit, 2 * world.history.size());
}

/// A device was plugged in (anew): what failed before says nothing about it. A plain server's list
/// is no such news: it leaves out what is in use, and has it again after each of our own attempts.
void arrived(World& world, const Place& place, TimePoint now) {
    forget_what_is_past(world, now);
    History& history = world.history[place];
    const auto pi = world.pis.find(place.pi);
    if (pi != world.pis.end())
        pi->second.busy.erase(place); // that was said of the device that was there before
    if (pi == world.pis.end() || !pi->second.plain) {
        history.backoff.succeeded();
        history.last_error.clear();
    }
    history.removals.release(); // a person has been at it
    history.replugs.happened(now);
}

std::map<unsigned, Import>::iterator import_on(World& world, std::string_view sysname) {
    for (const auto& row : world.vhci)
        if (row.state == VhciPort::State::used && row.local_busid == sysname)
            if (const auto import = world.imports.find(row.port); import != world.imports.end())
                return import;
    return world.imports.end();
}

void import_seen(World& world, const LocalDevice& device, TimePoint now) {
    const auto found = import_on(world, device.sysfs_path);
    if (found == world.imports.end())
        return; // somebody else's: not ours to touch
    Import* import = &found->second;
    import->local = device;
    if (!std::exchange(import->enumerated, true))
        enumeration_over(world, found->first, true, now);
    // Lost only where the kernel says so; gained only by our own authorisation or at start.
    import->ready = import->ready && device.authorized;
    if (import->ready && import->configuration == 0)
        import->configuration = device.configuration;
    // The guest selected another one. Where its interfaces were not authorised by being made, QEMU
    // could not have them: they get it now, and QEMU another plug.
    if (import->ready && device.configuration != 0 &&
        device.configuration != import->configuration && device.interfaces_authorized) {
        import->guest_configuration = device.configuration;
        import->configuration = device.configuration;
        import->ready = *device.interfaces_authorized;
    }
    if (!import->ready)
        import->configuration = 0;
}

/// Plugs of ours that a VM had and has no more, without our doing.
void note_removals(
    World& world, unsigned vmid, const VmView& before, const VmView& after, TimePoint now) {
    const auto has = [](const VmView& view, const std::string& id) {
        return std::any_of(
            view.devices.begin(), view.devices.end(),
            [&](const GuestDevice& device) { return device.id == id; });
    };
    for (const auto& device : before.devices) {
        const auto place = place_of_plug_id(device.id);
        if (!place || !device.attached || has(after, device.id))
            continue;
        const auto action = world.in_flight.find(*place);
        const auto* unplug =
            action == world.in_flight.end() ? nullptr : std::get_if<UnplugDevice>(&action->second);
        if (!unplug || unplug->vmid != vmid)
            world.history[*place].removals.happened(now);
    }
}

} // namespace

// --- this host's kernel ---

void devices_listed(World& world, const std::vector<LocalDevice>& devices, TimePoint now) {
    std::map<Place, unsigned> present; // and which one, by its devnum
    for (const auto& device : devices) {
        present[device.device.place] = device.device.devnum;
        device_seen(world, device, now);
    }
    std::erase_if(world.local, [&](const auto& entry) { return !present.contains(entry.first); });
    for (auto& [port, import] : world.imports) {
        if (!import.local)
            continue;
        const auto there = present.find(import.local->device.place);
        if (there == present.end() || there->second != import.local->device.devnum)
            import.local.reset();
    }
    world.knows_devices = true;
}

void device_seen(World& world, const LocalDevice& device, TimePoint now) {
    if (device.on_vhci)
        return import_seen(world, device, now);
    const Place& place = device.device.place;
    const auto known = world.local.find(place);
    const bool anew =
        known == world.local.end() || known->second.device.devnum != device.device.devnum;
    world.local[place] = device;
    if (anew && world.knows_devices)
        arrived(world, place, now);
}

bool is_known_import(const World& world, const LocalDevice& device) {
    return std::any_of(world.imports.begin(), world.imports.end(), [&](const auto& entry) {
        const auto& local = entry.second.local;
        return local && local->sysfs_path == device.sysfs_path &&
               local->device.devnum == device.device.devnum;
    });
}

bool is_out_of_date(const World& world, const LocalDevice& device, TimePoint began) {
    return device.on_vhci &&
           std::any_of(world.imports.begin(), world.imports.end(), [&](const auto& entry) {
               const auto& local = entry.second.local;
               return local && local->sysfs_path == device.sysfs_path &&
                      began < entry.second.authorized_at;
           });
}

void device_gone(World& world, std::string_view sysname, unsigned devnum) {
    const auto it_is = [&](const LocalDevice& device) {
        return device.sysfs_path == sysname && (devnum == 0 || device.device.devnum == devnum);
    };
    std::erase_if(world.local, [&](const auto& entry) { return it_is(entry.second); });
    for (auto& [port, import] : world.imports)
        if (import.local && it_is(*import.local)) {
            import.local.reset();
            import.ready = false;
        }
}

std::vector<FreedPort> vhci_listed(World& world, std::vector<VhciPort> ports, TimePoint now) {
    world.vhci = std::move(ports);
    std::vector<FreedPort> freed;
    for (const auto& row : world.vhci) {
        const auto import = world.imports.find(row.port);
        if (import == world.imports.end())
            continue;
        // Between two looks a port may have been freed and taken by somebody else's `usbip attach`.
        const bool somebody_elses =
            row.state == VhciPort::State::used && row.devid != import->second.devid;
        if (row.state != VhciPort::State::free && !somebody_elses)
            continue;
        const auto action = world.in_flight.find(import->second.place);
        if (action != world.in_flight.end() && std::holds_alternative<ImportDevice>(action->second))
            continue; // noted before the kernel has it
        if (import->second.local && !somebody_elses)
            continue; // the kernel is to remove it yet, and will say so
        freed.push_back({row.port, import->second.place});
        enumeration_over(world, row.port, import->second.enumerated, now);
        world.imports.erase(import);
    }
    return freed;
}

void import_found(World& world, unsigned port, Import import) {
    remember_vhci_port(world, import.place, port);
    world.imports[port] = std::move(import);
}

// --- Pis ---

void pi_linked(World& world, const std::string& pi, std::string address, TimePoint now) {
    Pi& entry = world.pis[pi];
    entry.address = std::move(address);
    entry.linked = true;
    entry.unpaired = false;
    entry.linked_since = now;
    entry.announced = false; // until its list is here
    entry.silent = false;
    entry.busy.clear(); // it says so again, should it still be so
}

void pi_unlinked(World& world, const std::string& pi, bool silent) {
    if (const auto entry = world.pis.find(pi); entry != world.pis.end()) {
        entry->second.silent = silent;
        entry->second.linked = false;
        entry->second.announced = false;
    }
}

void pi_unpaired(World& world, const std::string& pi) {
    // Also where nothing is known of it: what it had imported before a restart may be found yet.
    Pi& entry = world.pis[pi];
    entry.unpaired = true;
    entry.devices.clear();
}

void pi_listed(
    World& world, const std::string& pi, const std::vector<Device>& devices, TimePoint now) {
    Pi& entry = world.pis[pi];
    const auto before = std::exchange(entry.devices, {});
    entry.announced = true;
    for (const auto& device : devices) {
        entry.devices[device.place] = device;
        const auto known = before.find(device.place);
        if (known == before.end() || known->second.devnum != device.devnum)
            arrived(world, device.place, now);
    }
    for (const auto& [port, import] : world.imports)
        if (import.place.pi == pi)
            remember_vhci_port(world, import.place, port);
    remember_guest_ports_of(world, pi);
}

void pi_added(World& world, const Device& device, TimePoint now) {
    world.pis[device.place.pi].devices[device.place] = device;
    arrived(world, device.place, now);
}

void pi_removed(World& world, const Place& place) {
    if (const auto entry = world.pis.find(place.pi); entry != world.pis.end()) {
        entry->second.devices.erase(place);
        entry->second.busy.erase(place);
    }
}

void pi_busy(World& world, const Place& place, std::string why) {
    if (const auto entry = world.pis.find(place.pi); entry != world.pis.end())
        entry->second.busy[place] = {std::move(why)};
}

void pi_available(World& world, const Place& place) {
    const auto entry = world.pis.find(place.pi);
    if (entry == world.pis.end() || entry->second.busy.erase(place) == 0)
        return;
    History& history = world.history[place];
    history.backoff.succeeded(); // it failed for that reason only
    history.last_error.clear();
}

// --- VMs ---

void vms_running(World& world, const std::vector<RunningVm>& running) {
    std::map<unsigned, Vm> now;
    std::set<unsigned> same; // QEMUs as before
    for (const auto& run : running) {
        const auto known = world.vms.find(run.vmid);
        Vm vm;
        vm.was_there = !world.knows_vms;
        if (known != world.vms.end() && known->second.pid == run.pid)
            same.insert(run.vmid);
        if (known != world.vms.end()) {
            vm = known->second;
            if (vm.pid != run.pid) { // another QEMU: nothing seen before is true of it
                vm.was_there = false;
                vm.view.reset();
                vm.open_nodes.clear();
                vm.stale = true;
                vm.looking = false;
                vm.look_backoff = {};
                vm.ports_backoff = {};
                vm.adding_controller = false;
                vm.add_backoff = {};
                vm.add_error.clear();
            }
        }
        vm.pid = run.pid;
        vm.qmp_socket = run.qmp_socket.string();
        if (!run.name.empty())
            vm.name = run.name;
        vm.buses = run.buses;
        now.emplace(run.vmid, std::move(vm));
    }
    world.vms = std::move(now);
    world.knows_vms = true;
    std::erase_if(
        world.doubtful_plugs, [&](const auto& doubt) { return !same.contains(doubt.second); });
}

static unsigned highest_proxmox_port(const VmConfig& config) {
    unsigned highest = 0; // usbN takes port N+1 of Proxmox' xhci (PVE::QemuServer::USB)
    for (const auto& line : config.usb)
        highest = std::max(highest, line.index + 1);
    return highest;
}

void vms_configured(World& world, const std::map<unsigned, VmConfig>& configs) {
    for (auto& [vmid, vm] : world.vms) {
        const auto config = configs.find(vmid);
        const bool arrived = !std::exchange(vm.configured, config != configs.end());
        if (config == configs.end())
            continue; // migrated away: until this QEMU has ended, the lock is what it was
        // Proxmox has done something, and a VM that did not run may run now.
        if (arrived || vm.lock != config->second.lock)
            vm_touched(world, vmid);
        // Proxmox adds its controller with the first usbN line and takes it away with the last.
        if (vm.proxmox_ports != highest_proxmox_port(config->second))
            vm.stale = true;
        vm.name = config->second.name;
        vm.lock = config->second.lock;
        vm.lock_text = config->second.lock_text;
        vm.ostype = config->second.ostype;
        vm.proxmox_ports = highest_proxmox_port(config->second);
    }
}

void vm_touched(World& world, unsigned vmid) {
    if (const auto vm = world.vms.find(vmid); vm != world.vms.end()) {
        vm->second.stale = true;
        vm->second.look_backoff.succeeded();
    }
}

void vm_viewed(
    World& world, unsigned vmid, VmView view, std::set<std::string> open_nodes, TimePoint now) {
    const auto entry = world.vms.find(vmid);
    if (entry == world.vms.end())
        return;
    Vm& vm = entry->second;
    if (vm.view)
        note_removals(world, vmid, *vm.view, view, now);
    const bool running = view.state == RunState::running;
    if (vm.view != view)
        vm.ports_backoff.succeeded();
    vm.ports_backoff.failed(now);
    vm.view = std::move(view);
    vm.open_nodes = std::move(open_nodes);
    vm.stale = false;
    std::erase_if(world.doubtful_plugs, [&](const auto& doubt) { return doubt.second == vmid; });
    remember_guest_ports(world, vmid);
    note_unloadable_ram(world, vmid);
    if (running) {
        vm.look_backoff.succeeded();
    } else {
        // Nothing tells when a paused or incoming VM runs on: look again, less and less often.
        vm.look_backoff.failed(now);
        vm.look_again = vm.look_backoff.retry_at();
    }
}

void vm_not_viewed(World& world, unsigned vmid, TimePoint now) {
    if (const auto vm = world.vms.find(vmid); vm != world.vms.end()) {
        vm->second.stale = true;
        vm->second.look_backoff.failed(now);
    }
}

} // namespace longcord
