// SPDX-License-Identifier: MIT
// The rules of one VM as they were last read.
#pragma once

#include "rules/diagnostic.hpp"

#include <string>
#include <vector>

namespace longcord {

struct RulesState {
    std::string file;
    std::string text;
    std::vector<Diagnostic> diagnostics; ///< of this text; with an error the rules before it hold
    std::string problem; ///< why they do not apply although they are right, or what is beside them
};

} // namespace longcord
