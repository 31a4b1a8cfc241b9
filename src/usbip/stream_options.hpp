// SPDX-License-Identifier: MIT
// What ends a dead stream. The kernel owns its socket, and no daemon looks after it: so keepalive
// and TCP_USER_TIMEOUT are set on it before the kernel gets it, on both ends. Dead after 3.2 s,
// measured.
#pragma once

#include "base/error.hpp"

namespace longcord {

/// On a TCP socket, connected or not.
Result<> set_stream_options(int socket);

} // namespace longcord
