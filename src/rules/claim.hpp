// SPDX-License-Identifier: MIT
// What the rules of all VMs make of one device. Within a VM a matching "!" line wins over
// everything; between VMs the stronger rule does. Neither the order of lines nor that of VMs
// matters: where two lines of a VM are equally strong, the one whose canonical text sorts first
// speaks for it.
#pragma once

#include "rules/match.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace longcord {

struct VmRules {
    unsigned vmid = 0;
    std::vector<Rule> rules;

    bool operator==(const VmRules&) const = default;
};

struct Claim {
    unsigned vmid = 0;
    unsigned line = 0;
    Strength strength;

    bool operator==(const Claim&) const = default;
};

/// At most one claim a VM: its strongest rule, unless a "!" line matches. Strongest first, then by
/// VMID. Hubs have none. Each VMID stands once in `vms`.
std::vector<Claim> claims(const Subject& subject, std::span<const VmRules> vms);

/// The order of claims().
bool comes_first(const Claim& a, const Claim& b) noexcept;
/// Of two rules of one VM that both match, whether `a` speaks for it: the stronger, then the one
/// whose canonical text sorts first, then the earlier line (equal text means equal rules).
bool speaks_before(const Rule& a, const Rule& b);

/// The rule that speaks for this VM, nullptr where none matches or a "!" line does.
const Rule* speaking_rule(const Subject& subject, std::span<const Rule> rules);

struct RuleVerdict {
    enum class Kind {
        no_match,
        matches,
        depends, ///< on the device, and there is none yet
        denies,
        denied_by_other_line
    };

    unsigned vmid = 0;
    unsigned line = 0;
    std::string rule; ///< as written
    Kind kind = Kind::no_match;
    std::string reason;
};

std::string_view to_string(RuleVerdict::Kind kind) noexcept;

/// Every rule's verdict, by VMID, then by line.
std::vector<RuleVerdict> explain(const Subject& subject, std::span<const VmRules> vms);

} // namespace longcord
