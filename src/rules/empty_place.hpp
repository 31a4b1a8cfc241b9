// SPDX-License-Identifier: MIT
// What the rules say of a place where nothing is plugged in: people ask that before they plug, and
// when a device is not seen at all. Rules that name a place alone can be judged; those that ask for
// a certain device cannot be before there is one.
#pragma once

#include "rules/claim.hpp"

namespace longcord {

struct EmptyPlace {
    Place place;
    std::string controller; ///< of its bus; empty: not known
    std::string devpath;    ///< that a device there would have; empty: not known
};

/// Every rule's verdict, by VMID, then by line.
std::vector<RuleVerdict> explain_empty(const EmptyPlace& at, std::span<const VmRules> vms);

/// Who would claim any device there, as claims() has it, by rules that name places alone.
std::vector<Claim> claims_on_anything(const EmptyPlace& at, std::span<const VmRules> vms);

} // namespace longcord
