// SPDX-License-Identifier: MIT
// What must hold, said without the planner's own words for it: of every plan, of the machines at
// any time, and of both once nothing is left to do. Each answers with the law that is broken, in
// words; empty: none.
#pragma once

#include "outside.hpp"
#include "plan/planner.hpp"

#include <string>

namespace longcord::model {

std::string broken_by_plan(const World& world, const Outside& outside, const Plan& plan);
std::string broken_outside(const Outside& outside);
std::string broken_at_rest(const World& world, const Outside& outside, const Plan& plan);

/// The same World, with everything that has no order of its own in another one.
World in_other_order(const World& world);
/// What a plan asks for, without the words for it, sorted.
std::vector<std::string> essence(const Plan& plan);

} // namespace longcord::model
