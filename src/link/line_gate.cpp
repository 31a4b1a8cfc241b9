// SPDX-License-Identifier: MIT
#include "link/line_gate.hpp"

namespace longcord {

std::string_view LineGate::pass(std::string_view bytes) noexcept {
    if (bytes.empty())
        return {};
    mid_line_ = bytes.back() != '\n';
    if (!open_)
        return {};
    if (dropping_) {
        const auto end = bytes.find('\n');
        if (end == std::string_view::npos)
            return {};
        dropping_ = false;
        bytes.remove_prefix(end + 1);
    }
    return bytes;
}

} // namespace longcord
