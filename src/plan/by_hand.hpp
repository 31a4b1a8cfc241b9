// SPDX-License-Identifier: MIT
// What a person did by hand, over the rules, until `resume`: a place attached to a VM, a place
// detached from all, the devices of a VM taken out for a while. Attached and detached places are
// part of the VMs' intents, so they outlive restarts and follow the VM; a quiesced VM is not.
#pragma once

#include "plan/ownership.hpp"
#include "plan/situation.hpp"

namespace longcord {

/// Nullptr: the rules decide.
const ByHand* by_hand_at(const World& world, const Place& place);
/// Who has it, where a person has decided.
Ownership owned_by_hand(const World& world, const ByHand& hand, const Situation& situation);

/// To be called after intents were read. One place attached to several VMs goes to the first.
void index_by_hand(World& world);

/// Errors: not_found (nothing is plugged there; a hub), full.
Result<> attach_by_hand(World& world, const Place& place, unsigned vmid, bool force);
/// Errors: not_found: no VM has it and no rule wants it; full.
Result<> detach_by_hand(World& world, const Place& place);
/// Error busy: what stands there by hand is for a VM of another node, and can only be undone
/// there.
Result<> decided_here(
    const World& world, const std::optional<Place>& place, const std::string& name);
/// What `resume` found to forget.
enum class Resumed {
    nothing,
    tried_anew, ///< no hand, but failures or flaps: what holds the device back is forgotten
    by_rules,   ///< something done by hand
};

/// `name`: as the person gave it, for a place whose device is gone. Forgets also what was held
/// against the device: flap guards, back-off.
Resumed resume_place(World& world, const std::optional<Place>& place, const std::string& name);
/// What was done by hand at that port of any controller there, by stable name: for a place of which
/// nothing tells the controller.
std::vector<std::string> by_hand_at_port(const World& world, const Place& place);

/// All devices come out of the VM and stay out until it is released.
void quiesce_vm(World& world, unsigned vmid);
void release_vm(World& world, unsigned vmid);
/// Places of which this VM still has something.
std::vector<Place> plugged_in(const World& world, unsigned vmid);

} // namespace longcord
