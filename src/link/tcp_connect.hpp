// SPDX-License-Identifier: MIT
// The TCP connection under the link's SSH session. It is made here and not by libssh, so that every
// wait has a bound and can be given up, and so that a dead node is noticed by the kernel in
// seconds. Blocking: for the session's own thread.
#pragma once

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/unique_fd.hpp"

#include <string>
#include <vector>

namespace longcord {

constexpr milliseconds tcp_connect_deadline{10'000}; ///< name look-up and all addresses together
constexpr milliseconds tcp_user_timeout{
    3'000}; ///< a peer that does not take what it is sent is gone

/// Its addresses as numbers, each once: what the connection below is tried with.
Result<std::vector<std::string>> find_addresses(const std::string& host, unsigned port);

/// Tries the host's addresses in turn. `stop` becoming readable gives up. The socket has NODELAY,
/// keepalive 1 s/1 s/3 and tcp_user_timeout.
Result<UniqueFd> connect_tcp(const std::string& host, unsigned port, int stop);

} // namespace longcord
