// SPDX-License-Identifier: MIT
// The next step for one place. See planner.hpp.
#pragma once

#include "plan/guest_port.hpp"
#include "plan/planner.hpp"
#include "plan/situation.hpp"

namespace longcord {

/// What is shared between the places of one plan: who takes which port.
struct Shared {
    GuestPorts guest_ports;
    std::set<unsigned> vhci_taken;
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
