// SPDX-License-Identifier: MIT
#include "link/line_framer.hpp"

namespace longcord {

void LineFramer::push(std::string_view bytes) {
    buffer_.erase(0, begin_);
    scanned_ -= begin_;
    begin_ = 0;
    buffer_ += bytes;
}

std::optional<LineFramer::Line> LineFramer::next() {
    for (;;) {
        const auto end = buffer_.find('\n', scanned_);
        const bool ended = end != std::string::npos;
        const std::size_t length = (ended ? end : buffer_.size()) - begin_;
        const bool too_long = !skipping_ && length > limit_;
        const bool skipped = skipping_;
        if (!ended && !too_long && !skipping_) {
            scanned_ = buffer_.size();
            return std::nullopt;
        }
        std::string text;
        if (!too_long && !skipped)
            text = buffer_.substr(begin_, length);
        skipping_ = !ended;
        begin_ = scanned_ = ended ? end + 1 : buffer_.size();
        if (too_long)
            return Line{{}, true};
        if (!text.empty())
            return Line{std::move(text), false};
        if (!ended)
            return std::nullopt;
    }
}

} // namespace longcord
