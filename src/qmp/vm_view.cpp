// SPDX-License-Identifier: MIT
#include "qmp/vm_view.hpp"

#include <array>
#include <utility>

namespace longcord {

static constexpr std::array<std::pair<std::string_view, RunState>, 6> names = {{
    {"running", RunState::running},
    {"paused", RunState::paused},
    {"prelaunch", RunState::prelaunch},
    {"inmigrate", RunState::inmigrate},
    {"suspended", RunState::suspended},
    {"shutdown", RunState::shutdown},
}};

RunState run_state_from(std::string_view status) noexcept {
    for (const auto& [name, state] : names)
        if (name == status)
            return state;
    return RunState::other;
}

std::string_view to_string(RunState state) noexcept {
    for (const auto& [name, known] : names)
        if (known == state)
            return name;
    return "not running";
}

} // namespace longcord
