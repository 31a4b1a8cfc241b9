// SPDX-License-Identifier: MIT
// The server's side of the USB/IP handshake, as values: what a client asks for, what it is
// answered. Pure. docs: see wire.hpp.
#pragma once

#include "usbip/wire.hpp"

namespace longcord {

enum class UsbipRequest { devlist, import };

/// Of a client's first 8 bytes. protocol: another version, or no request that is served. A client's
/// status means nothing.
Result<UsbipRequest> parse_request_header(std::string_view bytes);
/// The 32 bytes that follow in an import request.
Result<std::string> parse_requested_busid(std::string_view bytes);

/// A device of this machine as usbipd describes it. Its interfaces are those of its active
/// configuration, or of the first one.
WireDevice describe(const LocalDevice& local);

/// The 8 bytes that refuse an import.
std::string format_import_refusal(OpStatus status);

} // namespace longcord
