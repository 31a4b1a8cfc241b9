// SPDX-License-Identifier: MIT
// Text from outside: USB strings, messages of a Pi, lines of a file.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace longcord {

/// Strings that devices report (design, section 10).
constexpr std::size_t max_device_string = 255;

bool is_utf8(std::string_view text) noexcept;

/// Valid UTF-8 without controls and without marks that turn text round, at most `limit` bytes, cut
/// at a character: what may be shown and logged. Each byte or mark not allowed becomes one '?'.
std::string printable(std::string_view text, std::size_t limit = max_device_string);

std::string_view trim(std::string_view text) noexcept;

/// A whole decimal number without sign or blanks; nullopt where it is none or is above `max`.
std::optional<unsigned> parse_decimal(std::string_view text, unsigned max = 0xffffffff) noexcept;

/// The same in hexadecimal, any case, no prefix.
std::optional<unsigned> parse_hex(std::string_view text, unsigned max = 0xffffffff) noexcept;

} // namespace longcord
