// SPDX-License-Identifier: MIT
// Bytes to lines, with a limit: a peer that never sends a newline costs one line's worth of memory.
// A line that is too long is reported once and skipped to its end; the next one is read as usual.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace longcord {

class LineFramer {
  public:
    struct Line {
        std::string text; ///< without the newline; empty where too_long
        bool too_long = false;
        bool operator==(const Line&) const = default;
    };

    explicit LineFramer(std::size_t limit) : limit_(limit) {}

    void push(std::string_view bytes);
    /// Empty lines are not reported. Drain it after each push.
    std::optional<Line> next();
    /// Bytes held.
    std::size_t size() const noexcept { return buffer_.size() - begin_; }

  private:
    std::size_t limit_;
    std::string buffer_;
    std::size_t begin_ = 0;   ///< of the unread part of buffer_
    std::size_t scanned_ = 0; ///< no newline in [begin_, scanned_)
    bool skipping_ = false;
};

} // namespace longcord
