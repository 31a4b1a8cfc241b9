// SPDX-License-Identifier: MIT
// The first line on link.sock, from longcord-link to the service: whose link this is. The name
// and the fingerprint come from the SSH key (its forced command), the address from sshd
// (SSH_CONNECTION): nothing in it was said by the Pi.
#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace longcord {

struct Preface {
    std::string pi;
    std::string address; ///< IPv4 or IPv6 address in text, with a scope where it has one
    /// CLOCK_BOOTTIME in ms at the start of longcord-link: of two links of one Pi, the one that was
    /// started later is the newer, in whatever order they reach a restarted service.
    std::uint64_t started = 0;
    std::string key{}; ///< fingerprint of the key that logged in; a link ends with its key
    /// A throw-away key: this is no link yet, and may become one by a `pair` message only.
    bool pairing = false;
    /// What a Pi without our package asks for (link/push_command.hpp); empty: this is a link.
    std::string command{};
    bool operator==(const Preface&) const = default;
};

std::string format(const Preface& preface);
Result<Preface> parse_preface(std::string_view line);

/// The client's address in sshd's SSH_CONNECTION: "10.77.0.2 40022 10.77.0.1 22".
Result<std::string> address_from_ssh_connection(std::string_view value);

} // namespace longcord
