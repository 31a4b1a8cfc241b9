// SPDX-License-Identifier: MIT
// What ends a dead stream. The kernel owns its socket, and no daemon looks after it: so keepalive
// and TCP_USER_TIMEOUT are set on it before the kernel gets it, on both ends. With the default of
// 3 s it is dead after 3.2 s, measured.
#pragma once

#include "base/clock.hpp"
#include "base/error.hpp"

namespace longcord {

/// host.yaml's default, and that of whoever has no host.yaml.
constexpr milliseconds standard_dead_after{3'000};

/// On a TCP socket, connected or not. `dead_after`: so long sent bytes may stay unacknowledged, and
/// probes of a quiet stream unanswered; can be set anew. Probes go out every second.
Result<> set_stream_options(int socket, milliseconds dead_after = standard_dead_after);

} // namespace longcord
