// SPDX-License-Identifier: MIT
// The last step of an import: the socket goes to usbip-host, and the client is told. In this order,
// as usbipd has it: a device that the kernel does not serve can still be refused in words.
#pragma once

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/roots.hpp"
#include "base/unique_fd.hpp"

#include <string>

namespace longcord {

/// After a stream the kernel resets the device before it serves it again: so long that may take.
constexpr milliseconds reset_time{3'000};

/// Where the device is in use it waits up to reset_time for the end of the stream before. Comes
/// back with the socket, to be watched; the client has its reply. Where it fails the client has
/// been told so as far as USB/IP has a word for it. Blocks: call it on the WorkerPool.
Result<UniqueFd> hand_over(const Roots& roots, const std::string& busid, UniqueFd socket);

/// After a stream has ended: waits until the kernel is done with it. The usbip_status then is 1 or
/// 3; not_found: the device is gone. Blocks.
Result<unsigned> wait_for_end(const Roots& roots, const std::string& busid);

} // namespace longcord
