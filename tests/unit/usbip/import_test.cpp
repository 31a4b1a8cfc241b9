// SPDX-License-Identifier: MIT
// Against a server on loopback that behaves badly in each way it can.
#include "known_answer.hpp"
#include "result_text.hpp"
#include "usbip/import.hpp"
#include "usbip/stream_options.hpp"

#include <optional>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <doctest/doctest.h>

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace longcord;
using namespace longcord::test;
using namespace std::chrono_literals;
using asio::ip::tcp;

namespace {

struct Script {
    std::string answer;
    bool read_request = true;
    bool stay = false; ///< keep the connection open after the answer, until the client ends it
};

struct Server {
    explicit Server(asio::io_context& loop)
        : acceptor(loop, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {}
    tcp::endpoint endpoint() const { return acceptor.local_endpoint(); }
    tcp::acceptor acceptor;
    std::string request;
};

Task<> serve(Server& server, Script script) {
    auto [failed, socket] = co_await server.acceptor.async_accept(as_value);
    if (script.read_request) {
        server.request.resize(import_request_size);
        const auto request = asio::buffer(server.request);
        co_await asio::async_read(socket, request, as_value);
    }
    const auto answer = asio::buffer(script.answer);
    co_await asio::async_write(socket, answer, as_value);
    if (script.stay) {
        std::string more(1, '\0');
        const auto rest = asio::buffer(more);
        co_await asio::async_read(socket, rest, as_value);
    }
}

Result<ImportedStream> run(
    asio::io_context& loop, tcp::endpoint server, std::string busid, milliseconds deadline) {
    std::optional<Result<ImportedStream>> result;
    const auto done = [&](std::exception_ptr error, Result<ImportedStream> outcome) {
        if (error)
            std::rethrow_exception(error);
        result.emplace(std::move(outcome));
    };
    const ImportLimits limits{deadline, deadline};
    asio::co_spawn(loop, request_import(server, std::move(busid), limits), done);
    loop.restart();
    while (!result && loop.run_one() > 0) {
    }
    return std::move(*result);
}

void rethrow(std::exception_ptr error) {
    if (error)
        std::rethrow_exception(error);
}

/// The outcome for a server that answers so. The deadline is long where it is not what is tested.
Result<ImportedStream> import_from(Script script, milliseconds deadline = 20s) {
    asio::io_context loop;
    Server server(loop);
    asio::co_spawn(loop, serve(server, std::move(script)), rethrow);
    auto result = run(loop, server.endpoint(), "3-2", deadline);
    if (!result) {
        const auto named =
            fmt::format("USB/IP server 127.0.0.1:{}, device 3-2: ", server.endpoint().port());
        CHECK(result.error().message.starts_with(named));
    }
    return result;
}

std::string reply(std::uint16_t version, std::uint16_t code, std::uint32_t status) {
    return format_op_header({version, code, status});
}

const std::string good_reply = reply(0x0111, 3, 0) + serial_adapter_bytes();

int option(int socket, int level, int name) {
    int value = -1;
    socklen_t size = sizeof value;
    ::getsockopt(socket, level, name, &value, &size);
    return value;
}

} // namespace

TEST_CASE("a good server: the device, and a socket that dies by itself when the peer does") {
    asio::io_context loop;
    Server server(loop);
    asio::co_spawn(loop, serve(server, {good_reply, true, true}), rethrow);
    auto stream = run(loop, server.endpoint(), "3-2", 20s);
    REQUIRE(stream);
    CHECK(server.request == *format_import_request("3-2"));
    CHECK(stream->device == serial_adapter());
    CHECK(stream->devid == 0x00030102);
    CHECK(stream->speed == Speed::full);
    const int socket = stream->socket.get();
    CHECK(option(socket, SOL_SOCKET, SO_KEEPALIVE) == 1);
    CHECK(option(socket, IPPROTO_TCP, TCP_KEEPIDLE) == 1);
    CHECK(option(socket, IPPROTO_TCP, TCP_KEEPINTVL) == 1);
    CHECK(option(socket, IPPROTO_TCP, TCP_KEEPCNT) == 3);
    CHECK(option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT) == 3000);
    CHECK(option(socket, IPPROTO_TCP, TCP_NODELAY) == 1);
    CHECK((::fcntl(socket, F_GETFL) & O_NONBLOCK) == 0);
}

TEST_CASE("a stream's end is told by the node's time-out, which can be set anew") {
    const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(set_stream_options(socket.get()));
    CHECK(option(socket.get(), IPPROTO_TCP, TCP_USER_TIMEOUT) == 3000);
    REQUIRE(set_stream_options(socket.get(), milliseconds(1'500)));
    CHECK(option(socket.get(), IPPROTO_TCP, TCP_USER_TIMEOUT) == 1500);
    CHECK(option(socket.get(), IPPROTO_TCP, TCP_KEEPCNT) == 2);
    REQUIRE(set_stream_options(socket.get(), milliseconds(60'000)));
    CHECK(option(socket.get(), IPPROTO_TCP, TCP_USER_TIMEOUT) == 60'000);
    CHECK(option(socket.get(), IPPROTO_TCP, TCP_KEEPCNT) == 60);
}

TEST_CASE("what follows the answer stays in the socket: it is the kernel's") {
    const auto stream = import_from({good_reply + "URB", true, true});
    REQUIRE(stream);
    char next[4] = {};
    CHECK(::recv(stream->socket.get(), next, 3, MSG_WAITALL) == 3);
    CHECK(std::string(next) == "URB");
}

TEST_CASE("status 1 to 5, and one that is none") {
    const auto kind = [](std::uint32_t status) {
        return import_from({reply(0x0111, 3, status)}).error().kind;
    };
    CHECK(kind(1) == ErrorKind::unavailable);
    CHECK(kind(2) == ErrorKind::busy);
    CHECK(kind(3) == ErrorKind::unavailable);
    CHECK(kind(4) == ErrorKind::not_found);
    CHECK(kind(5) == ErrorKind::unavailable);
    CHECK(kind(77) == ErrorKind::protocol);
}

TEST_CASE("another version, another code, another busid") {
    CHECK(
        import_from({reply(0x0106, 3, 0) + serial_adapter_bytes()}).error().kind ==
        ErrorKind::protocol);
    CHECK(
        import_from({reply(0x0111, 5, 0) + serial_adapter_bytes()}).error().kind ==
        ErrorKind::protocol);
    WireDevice other = serial_adapter();
    other.busid = "3-20";
    const auto answered = import_from({*format_import_reply(other)});
    CHECK(answered.error().kind == ErrorKind::protocol);
    CHECK(answered.error().message.find("3-20") != std::string::npos);
}

TEST_CASE("a server that is no USB/IP server") {
    CHECK(import_from({"SSH-2.0-OpenSSH_9.2p1\r\n"}).error().kind == ErrorKind::protocol);
}

TEST_CASE("an answer that ends early says how early") {
    for (const std::size_t size : {1U, 7U, 8U, 9U, 319U}) {
        const auto cut = import_from({good_reply.substr(0, size)});
        CHECK(cut.error().kind == ErrorKind::protocol);
        CHECK(cut.error().message.find(fmt::format("after {} of", size)) != std::string::npos);
    }
}

TEST_CASE("closed at once, before or after the request") {
    CHECK(import_from({"", false}).error().kind == ErrorKind::unavailable);
    CHECK(import_from({"", true}).error().kind == ErrorKind::unavailable);
}

TEST_CASE("a server that never answers, or stops in the middle, ends at the deadline") {
    CHECK(import_from({"", true, true}, 50ms).error().kind == ErrorKind::timeout);
    const auto stopped = import_from({good_reply.substr(0, 100), true, true}, 50ms);
    CHECK(stopped.error().kind == ErrorKind::timeout);
    CHECK(stopped.error().message.find("100 of 320") != std::string::npos);
}

TEST_CASE("nobody listens") {
    asio::io_context loop;
    tcp::endpoint nowhere;
    {
        Server server(loop);
        nowhere = server.endpoint();
    }
    const auto result = run(loop, nowhere, "3-2", 20s);
    CHECK(result.error().kind == ErrorKind::unavailable);
    CHECK(result.error().message.find(to_string(nowhere)) != std::string::npos);
}

TEST_CASE("a listener whose queue is full, so that connect itself never ends") {
    asio::io_context loop;
    tcp::acceptor acceptor(loop);
    acceptor.open(tcp::v4());
    acceptor.bind({asio::ip::address_v4::loopback(), 0});
    acceptor.listen(0);
    const tcp::endpoint full = acceptor.local_endpoint();
    std::vector<UniqueFd> fillers;
    for (int i = 0; i < 4; ++i) {
        fillers.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        (void)::connect(fillers.back().get(), full.data(), static_cast<socklen_t>(full.size()));
    }
    CHECK(run(loop, full, "3-2", 100ms).error().kind == ErrorKind::timeout);
}

TEST_CASE("a busid that is none is not sent") {
    asio::io_context loop;
    Server server(loop);
    CHECK(run(loop, server.endpoint(), "../3-2", 20s).error().kind == ErrorKind::protocol);
    CHECK(
        run(loop, server.endpoint(), std::string(32, '1'), 20s).error().kind ==
        ErrorKind::protocol);
}

TEST_CASE("an import that ends leaves no descriptor open") {
    const auto lowest_free = [] {
        const UniqueFd fd(::dup(0));
        return fd.get();
    };
    const int before = lowest_free();
    (void)import_from({reply(0x0111, 3, 2)});
    (void)import_from({"", true, true}, 20ms);
    (void)import_from({good_reply});
    CHECK(lowest_free() == before);
}

TEST_CASE("a server's name in messages and records") {
    using asio::ip::make_address;
    CHECK(to_string(tcp::endpoint(make_address("10.77.0.2"), 3240)) == "10.77.0.2:3240");
    CHECK(to_string(tcp::endpoint(make_address("fd00::2"), 3240)) == "[fd00::2]:3240");
}
