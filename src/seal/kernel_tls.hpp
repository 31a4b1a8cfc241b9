// SPDX-License-Identifier: MIT
// Hands a connection's records to the kernel (Documentation/networking/tls.rst): from then on read
// and write on the socket are clear bytes, for whoever holds it, usbip-host and vhci included.
#pragma once

#include "base/error.hpp"
#include "seal/stream_secret.hpp"

namespace longcord {

/// `socket`: a connected TCP socket, on which what goes in clear was written and read to the byte.
/// ErrorKind::unavailable: this kernel cannot (no tls module, or one without the cipher), and the
/// socket is as it was: the records can still be made in user space. Any other error: it is
/// unusable.
Result<> start_kernel_tls(int socket, const SealKey& send, const SealKey& receive);

} // namespace longcord
