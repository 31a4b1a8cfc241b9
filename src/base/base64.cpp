// SPDX-License-Identifier: MIT
#include "base/base64.hpp"

namespace longcord {

namespace {

constexpr std::string_view standard =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view for_urls =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr unsigned digit_bits = 6;
constexpr unsigned byte_bits = 8;

std::string encode(std::string_view bytes, std::string_view alphabet) {
    std::string text;
    unsigned value = 0;
    unsigned bits = 0;
    for (const char c : bytes) {
        value = (value << byte_bits | static_cast<unsigned char>(c)) & 0xffff;
        for (bits += byte_bits; bits >= digit_bits; bits -= digit_bits)
            text += alphabet[value >> (bits - digit_bits) & 0x3f];
    }
    if (bits > 0)
        text += alphabet[value << (digit_bits - bits) & 0x3f];
    return text;
}

/// Without padding. Bits that are left over must be zero: one text for the same bytes.
std::optional<std::string> decode(std::string_view digits, std::string_view alphabet) {
    std::string bytes;
    unsigned value = 0;
    unsigned bits = 0;
    for (const char c : digits) {
        const auto digit = alphabet.find(c);
        if (digit == std::string_view::npos)
            return std::nullopt;
        value = (value << digit_bits | static_cast<unsigned>(digit)) & 0xffff;
        bits += digit_bits;
        if (bits >= byte_bits) {
            bits -= byte_bits;
            bytes += static_cast<char>(value >> bits & 0xff);
        }
    }
    if (bits >= digit_bits || (value & ((1U << bits) - 1)) != 0)
        return std::nullopt;
    return bytes;
}

} // namespace

std::string encode_base64(std::string_view bytes) {
    std::string text = encode(bytes, standard);
    text.append((4 - text.size() % 4) % 4, '=');
    return text;
}

std::optional<std::string> decode_base64(std::string_view text) {
    if (text.size() % 4 != 0)
        return std::nullopt;
    std::string_view digits = text;
    while (digits.ends_with('=') && text.size() - digits.size() < 2)
        digits.remove_suffix(1);
    return decode(digits, standard);
}

std::string encode_base64url(std::string_view bytes) {
    return encode(bytes, for_urls);
}

std::optional<std::string> decode_base64url(std::string_view text) {
    return decode(text, for_urls);
}

} // namespace longcord
