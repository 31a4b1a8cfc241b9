// SPDX-License-Identifier: MIT
#include "serial/serial_client.hpp"

#include <array>
#include <cerrno>

#include <boost/asio/buffer.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/core.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace longcord {

asio::ip::address plain_address(const asio::ip::address& address) {
    if (address.is_v6() && address.to_v6().is_v4_mapped())
        return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
    return address;
}

/// An idle client that is gone is noticed by keepalive (tcp(7)): 2 s, then three probes. While data
/// is under way there is no keepalive: see health(). TCP_USER_TIMEOUT would cover that too, but it
/// also ends clients that live and do not read for a while.
void set_serial_options(int fd) {
    const auto set = [fd](int level, int name, int value) {
        ::setsockopt(fd, level, name, &value, sizeof value); // at worst it is noticed later
    };
    set(IPPROTO_TCP, TCP_NODELAY, 1);
    set(SOL_SOCKET, SO_KEEPALIVE, 1);
    set(IPPROTO_TCP, TCP_KEEPIDLE, 2);
    set(IPPROTO_TCP, TCP_KEEPINTVL, 1);
    set(IPPROTO_TCP, TCP_KEEPCNT, 3);
    set(IPPROTO_TCP, TCP_USER_TIMEOUT, 0);
    // The DM of telnet's Synch is sent as urgent. Kept apart, as is the default, it would be
    // missing between its IAC and the next byte of data, which would be lost.
    set(SOL_SOCKET, SO_OOBINLINE, 1);
}

SerialClient::SerialClient(asio::io_context& loop, asio::ip::tcp::socket socket)
    : loop_(loop), socket_(std::move(socket)) {
    boost::system::error_code error;
    peer_ = socket_.remote_endpoint(error);
    peer_.address(plain_address(peer_.address()));
    socket_.non_blocking(true, error);
    set_serial_options(socket_.native_handle());
}

/// The sealed stream may be a local socket; for reading and writing that is no difference.
SerialClient::SerialClient(asio::io_context& loop, SerialCaller caller)
    : loop_(loop), socket_(loop, asio::ip::tcp::v4(), caller.socket.get()),
      name_(std::move(caller.name)), link_(std::move(caller.link)), wire_(std::move(caller.wire)) {
    caller.socket.release();
    boost::system::error_code error;
    socket_.non_blocking(true, error);
}

std::string SerialClient::name() const {
    if (!name_.empty())
        return name_;
    const std::string address = peer_.address().to_string();
    return fmt::format(
        fmt::runtime(peer_.address().is_v6() ? "[{}]:{}" : "{}:{}"), address, peer_.port());
}

/// -1: the connection is over.
static ssize_t send_some(int fd, std::string_view bytes) {
    for (;;) {
        const ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n >= 0)
            return n;
        if (errno == EAGAIN)
            return 0;
        if (errno != EINTR)
            return -1;
    }
}

void SerialClient::send(std::string_view bytes) {
    if (!socket_.is_open())
        return;
    if (pending() == 0) {
        const ssize_t n = send_some(socket_.native_handle(), bytes);
        if (n < 0)
            return; // the reader of this socket learns it too
        bytes.remove_prefix(static_cast<std::size_t>(n));
        if (bytes.empty())
            return;
        pending_.clear();
        sent_ = 0;
    }
    pending_ += bytes;
    wait_to_send();
}

void SerialClient::wait_to_send() {
    if (waiting_ || pending() == 0 || !socket_.is_open())
        return;
    waiting_ = true;
    socket_.async_wait(
        asio::ip::tcp::socket::wait_write,
        [self = shared_from_this()](const boost::system::error_code& error) {
            self->waiting_ = false;
            if (!error)
                self->flush();
        });
}

void SerialClient::flush() {
    const ssize_t n =
        socket_.is_open()
            ? send_some(socket_.native_handle(), std::string_view(pending_).substr(sent_))
            : -1;
    if (n < 0) {
        pending_.clear();
        sent_ = 0;
    } else {
        sent_ += static_cast<std::size_t>(n);
    }
    if (pending() == 0 || sent_ >= high) { // a slow client may never take all of it
        pending_.erase(0, sent_);
        sent_ = 0;
    }
    if (pending() <= low && room_)
        room_();
    wait_to_send();
}

Task<> SerialClient::say_and_close(std::shared_ptr<SerialClient> self, std::string text) {
    (void)self;
    send(text);
    boost::system::error_code ignored;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    asio::steady_timer deadline(loop_, farewell_limit);
    deadline.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
        const auto client = weak.lock();
        if (!error && client)
            client->close();
    });
    // Closing on unread bytes would be a reset, which can overtake the text.
    std::array<char, 4096> rest;
    for (;;) {
        const auto [error, n] = co_await socket_.async_read_some(asio::buffer(rest), as_value);
        if (error)
            break;
    }
    close();
}

void SerialClient::close() noexcept {
    boost::system::error_code ignored;
    socket_.close(ignored);
    wire_.reset();
    pending_.clear();
    sent_ = 0;
    if (room_)
        room_();
}

UniqueFd SerialClient::release() {
    boost::system::error_code ignored;
    return UniqueFd(socket_.release(ignored));
}

TcpHealth tcp_health(int socket) {
    tcp_info info{};
    socklen_t size = sizeof info;
    if (::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
        return {true, true};
    // Numbers of enum tcp_state (linux/include/net/tcp_states.h).
    constexpr std::uint8_t close_state = 7;
    constexpr std::uint8_t close_wait = 8;
    const bool due = info.tcpi_unacked > 0 || info.tcpi_probes > 0;
    const bool silent =
        info.tcpi_last_ack_recv > std::chrono::milliseconds(TcpHealth::dead_after).count();
    return {due && silent, info.tcpi_state == close_wait || info.tcpi_state == close_state};
}

TcpHealth SerialClient::health() {
    if (!socket_.is_open())
        return {true, true};
    return tcp_health(wire_.get() >= 0 ? wire_.get() : socket_.native_handle());
}

} // namespace longcord
