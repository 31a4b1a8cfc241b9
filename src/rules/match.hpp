// SPDX-License-Identifier: MIT
// Does a rule mean this device? Two answers from one comparison: a quick yes or no for planning,
// and the reason in words for `longcord explain`.
#pragma once

#include "rules/rule.hpp"

#include <compare>
#include <string>
#include <string_view>

namespace longcord {

/// A device, and what only the machine it is plugged into knows.
struct Subject {
    const Device& device;
    std::string_view devpath = {}; ///< udev DEVPATH of a local device; empty: not known
    /// The same physical port on the other bus: its USB 2 and USB 3 halves are two ports to the
    /// kernel (`peer`), and a rule for either means both. Below a hub that has one half only, the
    /// place it would have on the other bus, so that a rule for the port above still covers it.
    const Place* peer = nullptr;
    std::string_view peer_devpath = {};
};

struct Verdict {
    bool matches = false;
    std::string reason; ///< "plugged at 3-4.1, below 3-4", "serial is \"A1\", not \"0001\""
};

/// Whether place and qualifiers fit, with "!" making no difference; matches(...) ==
/// match(...).matches. Hubs match like anything else: that they are never plugged is claims()'s.
bool matches(const Rule& rule, const Subject& subject) noexcept;
Verdict match(const Rule& rule, const Subject& subject);

/// Between VMs the stronger rule wins: the longer port path, then more qualifiers.
struct Strength {
    unsigned path_length = 0;
    unsigned qualifiers = 0;
    // clang-tidy 14 takes the 0 that a defaulted <=> compares with for a null pointer.
    auto operator<=>(const Strength&) const = default; // NOLINT(modernize-use-nullptr)
};

Strength strength(const Rule& rule) noexcept;

/// Whether every device that `narrow` matches is matched by `wide`.
bool covers(const Rule& wide, const Rule& narrow) noexcept;
/// Whether a device can match both, as far as the rules alone tell.
bool overlap(const Rule& a, const Rule& b) noexcept;

} // namespace longcord
