// SPDX-License-Identifier: MIT
// The node in numbers, as Prometheus reads them: `longcord metrics`.
#pragma once

#include "host/counters.hpp"
#include "plan/planner.hpp"

#include <string>

namespace longcord {

std::string host_metrics(
    const World& world, const std::map<Place, Outcome>& outcomes, const Counters& counters);

} // namespace longcord
