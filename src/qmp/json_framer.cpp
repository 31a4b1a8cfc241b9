// SPDX-License-Identifier: MIT
#include "qmp/json_framer.hpp"

#include "base/text.hpp"

namespace longcord {

void JsonFramer::feed(std::string_view bytes) {
    buffer_ += bytes;
}

void JsonFramer::step(char c) {
    if (in_string_) {
        if (escaped_)
            escaped_ = false;
        else if (c == '\\')
            escaped_ = true;
        else if (c == '"')
            in_string_ = false;
        return;
    }
    if (c == '"')
        in_string_ = true;
    else if (c == '{' || c == '[')
        ++depth_;
    else if (c == '}' || c == ']')
        --depth_;
}

/// True: buffer_[0, scanned_) is a whole value.
Result<bool> JsonFramer::scan() {
    while (scanned_ < buffer_.size()) {
        step(buffer_[scanned_++]);
        if (depth_ == 0)
            return true;
        if (depth_ > max_depth)
            return fail(ErrorKind::protocol, "JSON nested deeper than {}", max_depth);
        if (scanned_ >= max_value)
            return fail(ErrorKind::protocol, "a JSON value larger than {} bytes", max_value);
    }
    return false;
}

Result<std::optional<std::string>> JsonFramer::next() {
    if (scanned_ == 0) {
        const auto begin = buffer_.find_first_not_of(" \t\r\n");
        buffer_.erase(0, begin);
        if (buffer_.empty())
            return std::optional<std::string>{};
        if (buffer_.front() != '{' && buffer_.front() != '[') {
            constexpr std::size_t shown = 40;
            return fail(ErrorKind::protocol, "no JSON: \"{}\"", printable(buffer_, shown));
        }
    }
    const auto whole = scan();
    if (!whole)
        return whole.error();
    if (!*whole)
        return std::optional<std::string>{};
    std::optional<std::string> value = buffer_.substr(0, scanned_);
    buffer_.erase(0, scanned_);
    scanned_ = 0;
    return value;
}

} // namespace longcord
