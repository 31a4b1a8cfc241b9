// SPDX-License-Identifier: MIT
#include "usbip/conversation.hpp"

#include "usbip/stream_options.hpp"

#include <cerrno>

#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <fcntl.h>
#include <sys/socket.h>

namespace longcord {

using boost::system::error_code;

void Conversation::start_deadline(milliseconds deadline) {
    timer_.expires_after(deadline);
    timer_.async_wait([weak = weak_from_this()](error_code cancelled) {
        const auto still = weak.lock();
        if (cancelled || !still)
            return;
        still->expired_ = true;
        error_code ignored;
        still->socket_.close(ignored);
    });
}

Task<Result<>> Conversation::connect(asio::ip::tcp::endpoint server) {
    const asio::generic::stream_protocol::endpoint peer(server);
    error_code failed;
    socket_.open(peer.protocol(), failed);
    if (failed)
        co_return fail_errno(failed.value(), "socket");
    const auto set = set_stream_options(socket_.native_handle());
    if (!set)
        co_return set.error();
    const auto [refused] = co_await socket_.async_connect(peer, as_value);
    if (refused || expired_)
        co_return lost(refused, "connect");
    co_return Result<>();
}

Result<> Conversation::take(UniqueFd socket) {
    int family = 0;
    socklen_t size = sizeof family;
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_DOMAIN, &family, &size) != 0)
        return fail_errno(errno, "SO_DOMAIN");
    error_code failed;
    socket_.assign(asio::generic::stream_protocol(family, 0), socket.get(), failed);
    if (failed)
        return fail_errno(failed.value(), "assign the socket");
    socket.release();
    return {};
}

Task<Result<>> Conversation::write(std::string bytes) {
    const auto data = asio::buffer(bytes);
    const auto [error, sent] = co_await asio::async_write(socket_, data, as_value);
    if (error)
        co_return lost(error, "send the request");
    co_return Result<>();
}

Task<Result<std::string>> Conversation::read_exactly(std::size_t before, std::size_t size) {
    std::string bytes(size, '\0');
    const auto target = asio::buffer(bytes);
    const auto [error, had] = co_await asio::async_read(socket_, target, as_value);
    if (error)
        co_return answer_lost(error, before + had, before + size);
    co_return bytes;
}

Result<UniqueFd> Conversation::release() {
    timer_.cancel();
    if (expired_) // in the same turn of the loop: the socket is closed
        return fail(ErrorKind::timeout, "no answer in time");
    error_code error;
    UniqueFd fd(socket_.release(error));
    if (error)
        return fail(ErrorKind::system, "release the socket: {}", error.message());
    // Asio made it non-blocking for itself.
    const int flags = ::fcntl(fd.get(), F_GETFL);
    if (flags < 0 || ::fcntl(fd.get(), F_SETFL, flags & ~O_NONBLOCK) < 0)
        return fail_errno(errno, "fcntl");
    return fd;
}

Error Conversation::lost(const error_code& error, const char* doing) const {
    if (expired_)
        return fail(ErrorKind::timeout, "no answer in time ({})", doing);
    return fail_errno(error.value(), doing);
}

Error Conversation::answer_lost(
    const error_code& error, std::size_t had, std::size_t wanted) const {
    const bool ended = error == asio::error::eof || error == asio::error::connection_reset;
    if (expired_)
        return fail(ErrorKind::timeout, "{} of {} bytes of the answer came in time", had, wanted);
    if (ended && had > 0)
        return fail(ErrorKind::protocol, "the answer ends after {} of {} bytes", had, wanted);
    if (ended)
        return fail(ErrorKind::unavailable, "the server closed the connection without an answer");
    return fail_errno(error.value(), "read the answer");
}

} // namespace longcord
