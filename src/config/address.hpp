// SPDX-License-Identifier: MIT
// Addresses as people write them: "node", "node:2222", "10.0.0.5:3240", "fe80::1",
// "[fe80::1]:3240".
#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace longcord {

struct Address {
    std::string host; ///< a name or a literal address, without brackets
    std::uint16_t port = 0;

    /// `default_port` where none is written. A bare IPv6 address has no port; with one it needs
    /// [..].
    static Result<Address> parse(std::string_view text, std::uint16_t default_port);
    std::string to_string() const;
    bool operator==(const Address&) const = default;
};

} // namespace longcord
