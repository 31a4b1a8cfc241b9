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
#include <vector>

#include <boost/asio/ip/tcp.hpp>

namespace longcord {

struct ImportedStream {
    UniqueFd socket; ///< blocking mode
    WireDevice device;
    std::uint32_t devid = 0;
    Speed speed = Speed::unknown;
};

/// A connection to the server, in blocking mode. The message begins with the server.
Task<Result<UniqueFd>> connect_stream(asio::ip::tcp::endpoint server, milliseconds deadline);

/// On a connected stream, TCP or the clear end of a sealed one. Everything within `deadline`;
/// closing the socket, as every error does, gives the device back. busy: somebody else imports it;
/// not_found: it is not exported; unavailable: the server cannot now; timeout; protocol: the server
/// answers what it must not.
Task<Result<ImportedStream>> request_import_on(
    UniqueFd stream, std::string busid, milliseconds deadline);

struct ImportLimits {
    milliseconds connect; ///< the server's machine is there, or it is not
    milliseconds answer;  ///< the server may have to free the device first
};
/// Both together, for a plain server. Each message begins with server and busid.
Task<Result<ImportedStream>> request_import(
    asio::ip::tcp::endpoint server, std::string busid, ImportLimits limits);

/// What a plain server exports (usbipd leaves out what is in use; usbipd-win and Renode do not).
Task<Result<std::vector<WireDevice>>> request_device_list(
    asio::ip::tcp::endpoint server, milliseconds deadline);

/// "10.77.0.2:3240", "[fd00::2]:3240": as in messages and records.
std::string to_string(const asio::ip::tcp::endpoint& server);

/// "USB/IP server 10.77.0.2:3240, device 1-1.2: " before the message.
Error at_server(
    const asio::ip::tcp::endpoint& server, const std::string& busid, const Error& error);

} // namespace longcord
