// SPDX-License-Identifier: MIT
// Small helpers for messages that say what to write instead.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace longcord {

bool is_ascii_alnum(char c) noexcept;
std::string ascii_lower(std::string_view text);

/// The candidate that `text` most likely meant: at most two letters changed, added, missing or
/// swapped, and fewer than half of it; empty where none is that near.
std::string_view closest(std::string_view text, std::span<const std::string_view> candidates);

/// In double quotes, made printable and short enough for a message.
std::string quoted(std::string_view text);

} // namespace longcord
