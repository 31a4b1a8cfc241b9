// SPDX-License-Identifier: MIT
// Remembering which port a place has, in the guest and on vhci, so that it gets the same one again.
#pragma once

#include "plan/world.hpp"

namespace longcord {

/// From what the VM's QEMU shows; a place whose device is not known now keeps the pin it had.
void remember_guest_ports(World& world, unsigned vmid);
/// The same for every VM that has something of this Pi: it has spoken, its controllers are known.
void remember_guest_ports_of(World& world, const std::string& pi);
void remember_vhci_port(World& world, const Place& place, unsigned port);

/// Nullptr: none.
const GuestPort* pinned_guest_port(const World& world, unsigned vmid, const Place& place);
std::optional<unsigned> pinned_vhci_port(const World& world, const Place& place);

} // namespace longcord
