// SPDX-License-Identifier: MIT
// The next step for one place. See planner.hpp.
#pragma once

#include "plan/guest_port.hpp"
#include "plan/planner.hpp"
#include "plan/situation.hpp"
#include "plan/vhci_ports.hpp"
#include "rules/rules_index.hpp"

namespace longcord {

/// What is shared between the places of one plan: the rules, and who takes which port.
struct Shared {
    const RulesIndex& rules;
    GuestPorts guest_ports;
    TakenVhciPorts vhci_taken;
    std::set<unsigned> without_controller = {}; ///< VMs that wait for one with a device
    std::set<unsigned> short_of_ports = {};     ///< VMs where a device waits for a port of theirs
    std::optional<unsigned> unheard = {}; ///< a VM from before the service that never answered it
};

struct Step {
    Outcome outcome;
    std::optional<Action> action;
    std::optional<TimePoint> wake;
};

Step next_step(
    const World& world, const Place& place, const Situation& situation, Shared& shared,
    TimePoint now);

} // namespace longcord
