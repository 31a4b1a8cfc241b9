// SPDX-License-Identifier: MIT
// How what was seen changes the World. Pure: sources and the executor call these on the loop, tests
// call them with made-up worlds. Patience (back-off, flap guards) is kept here, where things
// happen, so the planner only has to look at it.
#pragma once

#include "plan/world.hpp"
#include "proxmox/running_vm.hpp"

namespace longcord {

// --- this host's kernel ---

/// All devices of this host, vhci's included: at start and after the monitor lost events.
void devices_listed(World& world, const std::vector<LocalDevice>& devices, TimePoint now);
void device_seen(World& world, const LocalDevice& device, TimePoint now);
/// This very device was seen on a port of ours already.
bool is_known_import(const World& world, const LocalDevice& device);
/// Reading it was begun at `began`, and an authorisation of it by us has ended since: it must be
/// read again, or what it was before would be taken for what became of it.
bool is_out_of_date(const World& world, const LocalDevice& device, TimePoint began);
/// `sysname`: "3-4.1"; a device that came through vhci or a real one. `devnum`: which one went, 0
/// where nobody knows; what has come there since stays.
void device_gone(World& world, std::string_view sysname, unsigned devnum = 0);

/// An import of ours that is over: vhci has freed its port, and the kernel has removed its device.
/// Its record is to go, and its claim.
struct FreedPort {
    unsigned port = 0;
    Place place;
};
/// vhci's table.
std::vector<FreedPort> vhci_listed(World& world, std::vector<VhciPort> ports, TimePoint now);
/// An import of ours that was found at start, by its record.
void import_found(World& world, unsigned port, Import import);

// --- Pis ---

void pi_linked(World& world, const std::string& pi, std::string address, TimePoint now);
/// `silent`: nothing was heard for its time; else its connection was closed.
void pi_unlinked(World& world, const std::string& pi, bool silent);
void pi_unpaired(World& world, const std::string& pi);
void pi_listed(
    World& world, const std::string& pi, const std::vector<Device>& devices, TimePoint now);
void pi_added(World& world, const Device& device, TimePoint now);
void pi_removed(World& world, const Place& place);
/// Another node has the device, and why; until it is available, or the Pi's link begins anew.
void pi_busy(World& world, const Place& place, std::string why);
void pi_available(World& world, const Place& place);

// --- VMs ---

/// All QEMU processes that live now. One with another pid than before is another run of that VM.
void vms_running(World& world, const std::vector<RunningVm>& running);
/// Names, locks and usbN lines of all VMs.
void vms_configured(World& world, const std::map<unsigned, VmConfig>& configs);
void vm_touched(World& world, unsigned vmid);
void vm_viewed(
    World& world, unsigned vmid, VmView view, std::set<std::string> open_nodes, TimePoint now);
void vm_not_viewed(World& world, unsigned vmid, TimePoint now);

// --- actions ---

void action_started(World& world, const Action& action);
/// `result`: how it ended. ErrorKind::unknown makes the VM be asked before anything else is done.
void action_ended(World& world, const Action& action, const Result<>& result, TimePoint now);

} // namespace longcord
