// SPDX-License-Identifier: MIT
// Cuts a stream of bytes into JSON values. QMP's values are objects, with or without line breaks
// within (`pretty=on`) or between them, so the cut is where the braces close, never at a line. The
// framer only counts: whether a value is JSON is for the parser to say.
#pragma once

#include "base/error.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace longcord {

class JsonFramer {
  public:
    /// Largest value, in bytes (design, section 6).
    static constexpr std::size_t max_value = std::size_t{4} * 1024 * 1024;
    /// QEMU's own parser stops at 1024 (MAX_NESTING, qobject/json-parser.c); no answer comes near.
    static constexpr std::size_t max_depth = 128;

    void feed(std::string_view bytes);

    /// The next whole value; nullopt: more bytes are needed. ErrorKind::protocol: the stream is not
    /// a sequence of JSON objects and arrays or breaks a limit; the stream is then of no more use.
    Result<std::optional<std::string>> next();

  private:
    Result<bool> scan();
    void step(char c);

    std::string buffer_;
    std::size_t scanned_ = 0; ///< of buffer_, so that no byte is looked at twice
    std::size_t depth_ = 0;
    bool in_string_ = false;
    bool escaped_ = false;
};

} // namespace longcord
