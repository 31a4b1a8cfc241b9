// SPDX-License-Identifier: MIT
// One line of a rules file: [!]PLACE [QUALIFIER | OPTION]...
#pragma once

#include "rules/rule.hpp"
#include "rules/tokens.hpp"

#include <optional>
#include <string_view>

namespace longcord {

struct RuleLine {
    std::optional<Rule> rule; ///< none: blank, comment only, or wrong. `line` is not set.
    std::optional<LineError> error;
    std::optional<LineError> warning;
};

RuleLine parse_rule_line(std::string_view line);

} // namespace longcord
