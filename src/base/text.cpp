// SPDX-License-Identifier: MIT
#include "base/text.hpp"

#include <charconv>

namespace longcord {

/// Length of the UTF-8 sequence at the front of `text`, 0 if it is malformed (RFC 3629: no overlong
/// forms, no surrogates, nothing above U+10FFFF).
static std::size_t sequence_length(std::string_view text) noexcept {
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto follows = [&](std::size_t i) { return i < text.size() && (at(i) & 0xc0) == 0x80; };
    const unsigned char lead = at(0);
    if (lead < 0x80)
        return 1;
    if (lead >= 0xc2 && lead <= 0xdf)
        return follows(1) ? 2 : 0;
    if (lead >= 0xe0 && lead <= 0xef) {
        if (!follows(1) || !follows(2) || (lead == 0xe0 && at(1) < 0xa0) ||
            (lead == 0xed && at(1) > 0x9f))
            return 0;
        return 3;
    }
    if (lead >= 0xf0 && lead <= 0xf4) {
        if (!follows(1) || !follows(2) || !follows(3) || (lead == 0xf0 && at(1) < 0x90) ||
            (lead == 0xf4 && at(1) > 0x8f))
            return 0;
        return 4;
    }
    return 0;
}

bool is_utf8(std::string_view text) noexcept {
    while (!text.empty()) {
        const std::size_t length = sequence_length(text);
        if (length == 0)
            return false;
        text.remove_prefix(length);
    }
    return true;
}

/// C0, DEL, and C1 (which is two bytes long in UTF-8).
static bool is_control(std::string_view character) noexcept {
    const auto first = static_cast<unsigned char>(character[0]);
    if (character.size() == 1)
        return first < 0x20 || first == 0x7f;
    return first == 0xc2 && static_cast<unsigned char>(character[1]) < 0xa0;
}

/// What turns the order of the text around it (Unicode TR9), or begins a new line: in a sentence it
/// would show the rest of it as something else.
static bool turns_text(std::string_view character) noexcept {
    if (character.size() == 2)
        return character == "\u061c";
    if (character.size() != 3)
        return false;
    const auto between = [&](std::string_view first, std::string_view last) {
        return character >= first && character <= last;
    };
    return between("\u200e", "\u200f") || between("\u2028", "\u202e") ||
           between("\u2066", "\u2069");
}

std::string printable(std::string_view text, std::size_t limit) {
    std::string out;
    while (!text.empty()) {
        std::size_t length = sequence_length(text);
        std::string_view character = text.substr(0, length);
        if (length == 0 || is_control(character) || turns_text(character)) {
            length = length == 0 ? 1 : length;
            character = "?";
        }
        if (out.size() + character.size() > limit)
            break;
        out += character;
        text.remove_prefix(length);
    }
    return out;
}

std::string_view trim(std::string_view text) noexcept {
    constexpr std::string_view blanks = " \t\r\n";
    const auto first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

static std::optional<unsigned> parse_number(
    std::string_view text, unsigned max, int base) noexcept {
    unsigned value = 0;
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value, base);
    if (text.empty() || error != std::errc{} || rest != end || value > max)
        return std::nullopt;
    return value;
}

std::optional<unsigned> parse_decimal(std::string_view text, unsigned max) noexcept {
    return parse_number(text, max, 10);
}

std::optional<unsigned> parse_hex(std::string_view text, unsigned max) noexcept {
    return parse_number(text, max, 16);
}

} // namespace longcord
