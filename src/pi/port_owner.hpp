// SPDX-License-Identifier: MIT
// Who listens on a TCP port of this machine: for the message that says why we cannot.
#pragma once

#include "base/roots.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace longcord {

/// "usbipd (pid 812)", from /proc; nullopt where it cannot be told. Reads much of /proc: call it on
/// the WorkerPool.
std::optional<std::string> who_listens(const Roots& roots, std::uint16_t port);

} // namespace longcord
