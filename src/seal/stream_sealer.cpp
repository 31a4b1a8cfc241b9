// SPDX-License-Identifier: MIT
#include "seal/stream_sealer.hpp"

#include "seal/kernel_tls.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/socket.h>

namespace longcord {

Result<SealedStream> StreamSealer::seal(
    UniqueFd tcp, const StreamSecret& secret, StreamSide side, milliseconds linger) {
    const bool node = side == StreamSide::node;
    const SealKey& send = node ? secret.from_node : secret.from_pi;
    const SealKey& receive = node ? secret.from_pi : secret.from_node;
    if (use_kernel_) {
        const auto started = start_kernel_tls(tcp.get(), send, receive);
        if (started) {
            // The kernel's threads want a plain socket.
            const int flags = ::fcntl(tcp.get(), F_GETFL);
            if (flags < 0 || ::fcntl(tcp.get(), F_SETFL, flags & ~O_NONBLOCK) < 0)
                return fail_errno(errno, "fcntl");
            return SealedStream{std::move(tcp), SealEngine::kernel};
        }
        if (started.error().kind != ErrorKind::unavailable)
            return started.error();
    }
    return relay(std::move(tcp), send, receive, linger);
}

Result<SealedStream> StreamSealer::relay(
    UniqueFd tcp, const SealKey& send, const SealKey& receive, milliseconds linger) {
    int ends[2] = {};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return fail_errno(errno, "socketpair");
    UniqueFd ours(ends[0]);
    UniqueFd theirs(ends[1]);
    if (!relays_)
        relays_.emplace();
    RelayThread::Ends until;
    until.linger = linger;
    relays_->carry(std::move(ours), std::move(tcp), send, receive, std::move(until));
    return SealedStream{std::move(theirs), SealEngine::user};
}

} // namespace longcord
