// SPDX-License-Identifier: MIT
// The import's conversation with a USB/IP server: connect, ask for a busid, read the answer. What
// comes back is a connected socket with nothing read beyond the answer, ready for vhci's attach.
// The kernel owns it from there, so what must end a dead stream is set on it before: keepalive and
// TCP_USER_TIMEOUT (dead after 3.2 s, measured; with no daemon's help).
#pragma once

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/task.hpp"
#include "base/unique_fd.hpp"
#include "usb/device.hpp"
#include "usbip/wire.hpp"

#include <cstdint>
#include <string>

#include <boost/asio/ip/tcp.hpp>

namespace longcord {

struct ImportedStream {
    UniqueFd socket; ///< blocking mode
    WireDevice device;
    std::uint32_t devid = 0;
    Speed speed = Speed::unknown;
};

/// Everything within `deadline`; closing the socket, as every error does, gives the device back.
/// Each message begins with server and busid. busy: somebody else imports it; not_found: it is not
/// exported; unavailable: no connection, or the server cannot now; timeout; protocol: the server
/// answers what it must not.
Task<Result<ImportedStream>> request_import(
    asio::ip::tcp::endpoint server, std::string busid, milliseconds deadline);

/// "10.77.0.2:3240", "[fd00::2]:3240": as in messages and records.
std::string to_string(const asio::ip::tcp::endpoint& server);

} // namespace longcord
