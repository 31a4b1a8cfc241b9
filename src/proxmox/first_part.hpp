// SPDX-License-Identifier: MIT
// Proxmox' files are lines, and in them property strings of parts between commas.
#pragma once

#include <string_view>

namespace longcord {

/// Takes what stands before the first `separator`, or all of it, off the front of `rest`.
inline std::string_view take_first_part(std::string_view& rest, char separator) {
    const auto end = rest.find(separator);
    const auto head = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    return head;
}

} // namespace longcord
