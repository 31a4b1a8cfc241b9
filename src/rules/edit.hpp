// SPDX-License-Identifier: MIT
// Adding a rule to the text of a rules file, and taking one out, with everything else in the file
// left as its author wrote it.
#pragma once

#include "base/error.hpp"

#include <string>
#include <string_view>

namespace longcord {

struct RulesEdit {
    std::string text;  ///< of the whole file, afterwards
    unsigned line = 0; ///< where the rule is, or was
    bool changed = false;
};

/// `file` is for messages. Errors: invalid, where `rule` is not exactly one right rule, where the
/// file has errors already, or where it would be too large. A rule that is there already, however
/// it is written, changes nothing.
Result<RulesEdit> add_rule(std::string_view text, std::string_view rule, const std::string& file);

/// Takes out every line that means the same as `rule`; one with a mistake in it is named by its
/// text. ErrorKind::not_found: there is no such line.
Result<RulesEdit> remove_rule(
    std::string_view text, std::string_view rule, const std::string& file);

} // namespace longcord
