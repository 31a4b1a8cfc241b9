// SPDX-License-Identifier: MIT
#include "usbip/import.hpp"

#include "usbip/stream_options.hpp"

#include <cerrno>
#include <memory>

#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/write.hpp>

#include <fcntl.h>

namespace longcord {

namespace {

using boost::system::error_code;

/// Closes its socket at the deadline: the operation in flight then ends with an error. Shared with
/// the timer's handler, which may run after the conversation is over.
struct Connection {
    explicit Connection(const asio::any_io_executor& executor)
        : socket(executor), timer(executor) {}
    asio::ip::tcp::socket socket;
    asio::steady_timer timer;
    bool expired = false;
};

void start_deadline(const std::shared_ptr<Connection>& connection, milliseconds deadline) {
    connection->timer.expires_after(deadline);
    connection->timer.async_wait([weak = std::weak_ptr(connection)](error_code cancelled) {
        const auto still = weak.lock();
        if (cancelled || !still)
            return;
        still->expired = true;
        error_code ignored;
        still->socket.close(ignored);
    });
}

/// Asio made it non-blocking for itself; the kernel's threads want a plain one.
Result<UniqueFd> take_socket(Connection& connection) {
    error_code error;
    UniqueFd fd(connection.socket.release(error));
    if (error)
        return fail(ErrorKind::system, "release the socket: {}", error.message());
    const int flags = ::fcntl(fd.get(), F_GETFL);
    if (flags < 0 || ::fcntl(fd.get(), F_SETFL, flags & ~O_NONBLOCK) < 0)
        return fail_errno(errno, "fcntl");
    return fd;
}

Error connection_lost(const Connection& connection, error_code error, const char* doing) {
    if (connection.expired)
        return fail(ErrorKind::timeout, "no answer in time ({})", doing);
    return fail_errno(error.value(), doing);
}

Error answer_lost(
    const Connection& connection, error_code error, std::size_t had, std::size_t wanted) {
    const bool ended = error == asio::error::eof || error == asio::error::connection_reset;
    if (connection.expired)
        return fail(ErrorKind::timeout, "{} of {} bytes of the answer came in time", had, wanted);
    if (ended && had > 0)
        return fail(ErrorKind::protocol, "the answer ends after {} of {} bytes", had, wanted);
    if (ended)
        return fail(ErrorKind::unavailable, "the server closed the connection without an answer");
    return fail_errno(error.value(), "read the answer");
}

/// `size` bytes of an answer of which `before` are read. What follows them stays in the socket: it
/// is the kernel's.
Task<Result<std::string>> read_exactly(
    std::shared_ptr<Connection> connection, std::size_t before, std::size_t size) {
    std::string bytes(size, '\0');
    const auto target = asio::buffer(bytes);
    const auto [error, had] = co_await asio::async_read(connection->socket, target, as_value);
    if (error)
        co_return answer_lost(*connection, error, before + had, before + size);
    co_return bytes;
}

Task<Result<WireDevice>> converse(
    std::shared_ptr<Connection> connection, asio::ip::tcp::endpoint server, std::string busid) {
    const auto request = format_import_request(busid);
    if (!request)
        co_return request.error();
    error_code failed;
    connection->socket.open(server.protocol(), failed);
    if (failed)
        co_return fail_errno(failed.value(), "socket");
    const auto set = set_stream_options(connection->socket.native_handle());
    if (!set)
        co_return set.error();
    const auto [refused] = co_await connection->socket.async_connect(server, as_value);
    if (refused || connection->expired)
        co_return connection_lost(*connection, refused, "connect");
    const auto bytes = asio::buffer(*request);
    const auto [lost, sent] = co_await asio::async_write(connection->socket, bytes, as_value);
    if (lost)
        co_return connection_lost(*connection, lost, "send the request");

    const auto header_bytes = co_await read_exactly(connection, 0, op_header_size);
    if (!header_bytes)
        co_return header_bytes.error();
    const auto header = parse_op_header(*header_bytes);
    const auto accepted = check_reply(*header, OpCode::rep_import);
    if (!accepted)
        co_return accepted.error();

    const auto device_bytes = co_await read_exactly(connection, op_header_size, wire_device_size);
    if (!device_bytes)
        co_return device_bytes.error();
    auto device = parse_wire_device(*device_bytes);
    if (device && device->busid != busid)
        co_return fail(ErrorKind::protocol, "it answered for {} instead", device->busid);
    co_return device;
}

} // namespace

std::string to_string(const asio::ip::tcp::endpoint& server) {
    const auto address = server.address().to_string();
    return server.address().is_v6() ? fmt::format("[{}]:{}", address, server.port())
                                    : fmt::format("{}:{}", address, server.port());
}

Task<Result<ImportedStream>> request_import(
    asio::ip::tcp::endpoint server, std::string busid, milliseconds deadline) {
    const auto named = [&](const Error& error) {
        return fail(
            error.kind, "USB/IP server {}, device {}: {}", to_string(server), busid, error.message);
    };
    auto executor = co_await asio::this_coro::executor;
    auto connection = std::make_shared<Connection>(executor);
    start_deadline(connection, deadline);
    auto device = co_await converse(connection, server, busid);
    connection->timer.cancel();
    if (!device)
        co_return named(device.error());
    if (connection->expired) // in the same turn of the loop: the socket is closed
        co_return named(fail(ErrorKind::timeout, "no answer in time"));
    auto socket = take_socket(*connection);
    if (!socket)
        co_return named(socket.error());
    ImportedStream stream;
    stream.socket = std::move(*socket);
    stream.devid = device->devid();
    stream.speed = device->speed;
    stream.device = std::move(*device);
    co_return stream;
}

} // namespace longcord
