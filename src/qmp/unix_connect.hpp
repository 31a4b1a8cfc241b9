// SPDX-License-Identifier: MIT
// A connection to a UNIX socket whose owner may not accept for long. QEMU listens with a backlog of
// 1 (chardev/char-socket.c): a non-blocking connect() to a full one fails with EAGAIN, which Asio's
// own async_connect takes for "in progress" and then for success.
#pragma once

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/unique_fd.hpp"

#include <filesystem>

namespace longcord {

/// Proxmox' own client waits 100 ms between its attempts: being quicker means being next.
constexpr milliseconds connect_retry{20};

/// One attempt, at once. ErrorKind::busy: the backlog is full, try again after connect_retry.
Result<UniqueFd> connect_unix(const std::filesystem::path& path);

/// Process that listens there (SO_PEERCRED); 0 where the kernel does not say.
int peer_pid(int socket) noexcept;

} // namespace longcord
