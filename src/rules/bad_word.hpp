// SPDX-License-Identifier: MIT
// What a person meant who wrote a word behind the place that is no qualifier and no option. The
// messages say what to write instead.
#pragma once

#include "rules/tokens.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace longcord {

/// serial, product, class, port, config or an allowed property of usb-host.
bool is_key(std::string_view key) noexcept;
/// A key that says how to plug, not what.
bool is_option(std::string_view key) noexcept;

/// A whole line of another language, pasted: lsusb's, a VM config's "usb0: host=...".
std::optional<std::string> foreign_line(const std::vector<Token>& tokens);
/// tokens[index] is neither force nor vid:pid nor key=value with a key we know.
std::string bad_word_message(const std::vector<Token>& tokens, std::size_t index);

std::string empty_value_message(std::string_view key);
std::string bad_class_message(std::string_view value);
std::string bad_number_message(std::string_view key, std::string_view value, unsigned highest);

} // namespace longcord
