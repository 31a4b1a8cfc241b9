// SPDX-License-Identifier: MIT
// A pairing that was begun and is not over: what a node writes down when it prints a token, so that
// any node of the cluster can finish it. It holds the throw-away key's public half, never the seed.
// Pure; times are seconds of the nodes' wall clock, the only one that several machines share.
#pragma once

#include "link/authorized_key.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace longcord {

using UnixTime = std::int64_t; ///< seconds

constexpr UnixTime pairing_lifetime = 600;
constexpr unsigned max_wrong_uses = 5;   ///< so many close a pairing
constexpr UnixTime max_clock_skew = 120; ///< between the clocks of two nodes of a cluster
constexpr std::size_t max_pending_file = 16 * 1024;

struct Pending {
    PublicKey key;    ///< of the throw-away key
    std::string node; ///< where it was begun
    UnixTime made = 0;
    UnixTime expires = 0;
    bool replace = false; ///< the Pi's key may take the place of another
    std::string used;     ///< in words: by whom, or why it is closed; empty: it is open
    bool operator==(const Pending&) const = default;
};

std::string format(const Pending& pending);
/// ErrorKind::invalid for what no node writes, a lifetime above pairing_lifetime included.
Result<Pending> parse_pending(std::string_view text);

/// Within its ten minutes. A clock that was set back does not make them longer.
bool is_in_time(const Pending& pending, UnixTime now) noexcept;

/// Names the throw-away key in file names: 16 hexadecimal digits of its fingerprint.
std::string pairing_id(std::string_view fingerprint);

/// One line of authorized_keys: this key may run `PROGRAM --pair NAME --key FINGERPRINT` and
/// nothing else, and sshd itself knows when it ends (expiry-time, sshd(8); "Z" from OpenSSH 9.1).
std::string pairing_keys_line(
    std::string_view program, std::string_view pi, std::string_view fingerprint,
    const Pending& pending);

} // namespace longcord
