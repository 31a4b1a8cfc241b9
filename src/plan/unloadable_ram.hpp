// SPDX-License-Identifier: MIT
// RAM that Proxmox saves (a snapshot, hibernation) while something of ours is plugged cannot be
// loaded: QEMU finds the state of a usb-host that nothing in the VM's configuration makes. The time
// between Proxmox' lock and the saving is too short to unplug in, so that it happened is
// remembered, told, and told how it is loaded all the same (docs/snapshots.md).
#pragma once

#include "plan/world.hpp"

namespace longcord {

/// What is plugged now into a VM whose RAM is being saved: at a new configuration and a new view.
void note_unloadable_ram(World& world, unsigned vmid);

/// Forgets what is not saved any more, notes what is being saved. Returns the VMs of which it was
/// noted just now.
std::vector<unsigned> saved_ram_seen(World& world, const std::map<unsigned, VmConfig>& configs);

/// A sentence for people: which, why, and what to add to `args:`.
std::string how_to_load(unsigned vmid, const UnloadableRam& ram);

} // namespace longcord
