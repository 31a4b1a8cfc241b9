// SPDX-License-Identifier: MIT
// Splits one line of a rules file into words, with the column of each. Quotes stand only around a
// whole value, key="value"; a comment begins at a # outside them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace longcord {

struct Token {
    std::size_t offset = 0; ///< in the line, in bytes
    std::string_view raw;   ///< as written
    bool has_key = false;   ///< it is key=value
    std::string key;
    std::string value; ///< without quotes and escapes; of a token without key: as written
    std::size_t value_offset = 0;
};

struct LineError {
    std::size_t offset = 0;
    std::string message;
};

struct Tokens {
    std::vector<Token> tokens;
    std::optional<LineError> error;
    std::optional<LineError> warning;
    std::size_t end = 0; ///< behind the last token: what follows is blank or comment
};

Tokens split_line(std::string_view line);

} // namespace longcord
