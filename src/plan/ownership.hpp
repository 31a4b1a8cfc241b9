// SPDX-License-Identifier: MIT
// Which VM should have a device: the claim of the rules, weighed with who runs and who holds it.
#pragma once

#include "plan/situation.hpp"
#include "plan/world.hpp"
#include "rules/rules_index.hpp"

#include <optional>
#include <string>

namespace longcord {

struct Ownership {
    enum class Kind {
        nobody,   ///< no rule of a running VM wants it
        owned,    ///< this VM shall have it
        conflict, ///< nobody holds it and several claim it with equal strength
        wait,     ///< a VM that may have the best claim has not been heard: leave all as it is
    };
    Kind kind = Kind::nobody;
    unsigned vmid = 0;          ///< of the owner
    const Rule* rule = nullptr; ///< the owner's
    std::string why;            ///< a sentence, for people
    bool holder_wants = false;  ///< in a conflict: who has it wants it too, if less, and keeps it
};

/// "VM 100 (100.usb.conf:3)", or the line of host.yaml.
std::string name_claim(const Claim& claim);

/// `rules`: of world.rules.
Ownership decide_owner(
    const World& world, const RulesIndex& rules, const Place& place, const Situation& situation);

} // namespace longcord
