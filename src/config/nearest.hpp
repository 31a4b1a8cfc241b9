// SPDX-License-Identifier: MIT
// "unknown key 'dead_afer': did you mean 'dead_after'?"
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace longcord {

/// The known word with the smallest edit distance, if it is near enough to be a slip of the hand.
std::optional<std::string> nearest(std::string_view word, std::span<const std::string> known);

} // namespace longcord
