// SPDX-License-Identifier: MIT
// Which vhci port an import gets, and what imports on one controller mean to each other. Pure.
//
// The kernel enumerates the devices of a controller one after the other (address0_mutex, held by
// hub_port_init in drivers/usb/core/hub.c), and the reset that QEMU begins a plug with waits in the
// same line. So a device that answers nothing delays everybody on its controller until it is
// detached. Where there are several controllers (Debian: 8; Proxmox VE: 1) Pis are kept apart;
// where there are not, nobody is blamed for having waited, and nothing is plugged meanwhile.
#pragma once

#include "plan/world.hpp"

#include <map>
#include <optional>

namespace longcord {

/// Ports that are spoken for, and by whom: imports, actions in flight, and those being planned.
using TakenVhciPorts = std::map<unsigned, Place>;
TakenVhciPorts vhci_ports_taken(const World& world);

/// The pinned port, where it is free and no other Pi is on its controller; else one on the
/// controller with, in this order, the fewest imports of other Pis, nothing being enumerated, and
/// the fewest imports. Where there are others, a Pi gets no more controllers than its share, so
/// that one that is linked later finds one of its own. Nullopt: every port of that speed is taken.
std::optional<unsigned> choose_vhci_port(
    const World& world, const Place& place, bool super, const TakenVhciPorts& taken);

/// That none is free, and who has those of that speed, so that somebody can decide who is to go.
std::string why_no_vhci_port(const World& world, bool super, const TakenVhciPorts& taken);

/// An older import of another Pi on the same controller that was not enumerated yet; nullptr: none.
/// While it is there, this one (`port`) is not late.
const Import* enumerated_before(const World& world, unsigned port, const Import& import);

/// An import on the same controller whose enumeration takes so long that a reset would wait for it.
const Import* late_neighbour(const World& world, unsigned port, TimePoint now);

/// This port's enumeration is over, so the next one's begins: at `now` for the others on the
/// controller. A device that failed vouches for no sibling: those of its own Pi go on being late.
void enumeration_over(World& world, unsigned port, bool enumerated, TimePoint now);

} // namespace longcord
