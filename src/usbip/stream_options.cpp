// SPDX-License-Identifier: MIT
#include "usbip/stream_options.hpp"

#include <cerrno>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace longcord {

static constexpr int keepalive_idle = 1;     // seconds without a byte before the first probe
static constexpr int keepalive_interval = 1; // seconds between probes

Result<> set_stream_options(int socket, milliseconds dead_after) {
    const auto user_timeout = static_cast<int>(dead_after.count());
    // Linux looks at TCP_USER_TIMEOUT instead, where both are set (tcp_keepalive_timer).
    const auto keepalive_probes =
        static_cast<int>(std::chrono::ceil<seconds>(dead_after).count()) / keepalive_interval;
    const struct {
        int level, name, value;
        const char* text;
    } options[] = {
        {SOL_SOCKET, SO_KEEPALIVE, 1, "SO_KEEPALIVE"},
        {IPPROTO_TCP, TCP_KEEPIDLE, keepalive_idle, "TCP_KEEPIDLE"},
        {IPPROTO_TCP, TCP_KEEPINTVL, keepalive_interval, "TCP_KEEPINTVL"},
        {IPPROTO_TCP, TCP_KEEPCNT, keepalive_probes, "TCP_KEEPCNT"},
        {IPPROTO_TCP, TCP_USER_TIMEOUT, user_timeout, "TCP_USER_TIMEOUT"},
        {IPPROTO_TCP, TCP_NODELAY, 1, "TCP_NODELAY"},
    };
    for (const auto& option : options)
        if (::setsockopt(socket, option.level, option.name, &option.value, sizeof option.value) !=
            0)
            return fail_errno(errno, option.text);
    return {};
}

} // namespace longcord
