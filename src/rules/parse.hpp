// SPDX-License-Identifier: MIT
// Reads a rules file: one rule a line, # comments, blank lines, CRLF, tabs, a byte order mark.
// Total: any bytes give rules and diagnostics, never a crash. Each line that is wrong gives one
// error, at the word that is wrong. What the file means as a whole, and beside others, is
// check.hpp's.
#pragma once

#include "rules/diagnostic.hpp"
#include "rules/rule.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace longcord {

// design.md, section 10.
constexpr std::size_t max_rules_file = std::size_t{64} * 1024; ///< bytes
constexpr std::size_t max_rules = 500;                         ///< a file
constexpr std::size_t max_rule_line = 1024;                    ///< bytes, without the line's end

/// After so many errors the rest of the file is not looked at.
constexpr std::size_t max_rule_errors = 100;

struct ParsedRules {
    std::vector<Rule> rules;             ///< of the lines that are right
    std::vector<Diagnostic> diagnostics; ///< in the order of lines
    /// No errors. A file that is not ok must not be applied in part: the rules before it stay.
    bool ok() const noexcept;
};

ParsedRules parse_rules(std::string_view text);

/// A rule that stands in a file of another kind, as those of machines do in host.yaml.
struct RuleText {
    std::string text; ///< one line
    unsigned line = 1;
    unsigned column = 1; ///< of the text's first character, from 1
    bool operator==(const RuleText&) const = default;
};

/// The same of rules that stand one by one; lines and columns are those of their file.
ParsedRules parse_rules(std::span<const RuleText> texts);

} // namespace longcord
