// SPDX-License-Identifier: MIT
// Who may open a serial port, by address. Pure: what the machine's own networks are is told.
#pragma once

#include "base/error.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace longcord {

/// "10.0.0.0/8", "fd00::/8", "192.168.1.7". IPv4 is kept as IPv6 (::ffff:0:0/96), so one rule
/// holds however the client came.
struct Network {
    std::array<std::uint8_t, 16> address{};
    unsigned prefix = 128;

    /// A zone ("%eth0") is left out of account.
    static Result<Network> parse(std::string_view text);
    bool covers(const Network& other) const noexcept;
    std::string to_string() const;
    bool operator==(const Network&) const = default;
};

struct AllowList {
    bool everybody = false;
    bool local_net = false; ///< the networks of this machine's interfaces
    std::vector<Network> networks;

    /// A CIDR, an address, `local-net` or `any`.
    Result<> add(std::string_view entry);
    /// Takes back what add() was given; false: it was not there. invalid: as in add().
    Result<bool> remove(std::string_view entry);
    /// As add() takes them, in the order in which they came.
    std::vector<std::string> entries() const;
    /// This machine itself always may.
    bool allows(std::string_view address, std::span<const Network> local) const;
    bool operator==(const AllowList&) const = default;
};

/// The networks of this machine's interfaces, without loopback.
std::vector<Network> local_networks();

} // namespace longcord
