// SPDX-License-Identifier: MIT
// What a verb changes in a file, shown before it is believed: the changed lines with what surrounds
// them, as diff -u shows them.
#pragma once

#include "cli/table.hpp"

#include <string>
#include <string_view>

namespace longcord {

/// Empty where nothing changes. One hunk: the verbs change one spot.
std::string diff_view(
    std::string_view file, std::string_view before, std::string_view after, const Look& look);

} // namespace longcord
