// SPDX-License-Identifier: MIT
// What can stand where the cursor is: the verbs, options and fixed words come from the same command
// line that is parsed, so completion knows no verb that is not there and forgets none. Pure; what
// only a service or /etc/pve knows is named by its kind.
#pragma once

#include <string>
#include <vector>

#include <CLI/App.hpp>

namespace longcord {

struct Candidate {
    std::string word;
    std::string what; ///< one line about it; empty: it says it itself

    bool operator==(const Candidate&) const = default;
};

struct Completion {
    enum class Kind { none, fixed, place, rule, vmid, vm, pi, node, file };

    Kind kind = Kind::none;
    std::vector<Candidate> words; ///< of Kind::fixed

    bool operator==(const Completion&) const = default;
};

/// `words`: those behind "longcord"; the last one is the one that is being typed, and may be empty.
Completion complete(CLI::App& app, const std::vector<std::string>& words);

} // namespace longcord
