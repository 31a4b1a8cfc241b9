// SPDX-License-Identifier: MIT
// Real sockets. Where this machine's kernel has the tls module, kernel and user space are paired in
// all four ways; where it has not, the lab shows it (tests/lab/scenarios/sealed_streams.py).
#include "seal/kernel_tls.hpp"
#include "seal/record.hpp"
#include "seal/stream_sealer.hpp"

#include <thread>

#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace longcord;

namespace {

struct TcpPair {
    UniqueFd node;
    UniqueFd pi;
    TcpPair() {
        UniqueFd server(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* any = reinterpret_cast<sockaddr*>(&address);
        REQUIRE(::bind(server.get(), any, size) == 0);
        REQUIRE(::listen(server.get(), 1) == 0);
        REQUIRE(::getsockname(server.get(), any, &size) == 0);
        node = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        REQUIRE(::connect(node.get(), any, size) == 0);
        pi = UniqueFd(::accept4(server.get(), nullptr, nullptr, SOCK_CLOEXEC));
        REQUIRE(pi);
    }
};

void write_all(int socket, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
}

/// Until `size` bytes came or the peer ended; 10 s at most between two pieces.
std::string read_some_of(int socket, std::size_t size) {
    std::string bytes;
    std::string chunk(64 * 1024, '\0');
    while (bytes.size() < size) {
        pollfd wait{socket, POLLIN, 0};
        REQUIRE(::poll(&wait, 1, 10'000) == 1);
        const ssize_t got =
            ::recv(socket, chunk.data(), std::min(chunk.size(), size - bytes.size()), 0);
        if (got <= 0)
            break;
        bytes.append(chunk.data(), static_cast<std::size_t>(got));
    }
    return bytes;
}

bool ended(int socket) {
    return read_some_of(socket, 1).empty();
}

std::string pattern(std::size_t size) {
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; ++i)
        bytes[i] = static_cast<char>(i * 7 + i / 251);
    return bytes;
}

bool kernel_has_tls() {
    TcpPair pair;
    const auto started = start_kernel_tls(pair.node.get(), SealKey{}, SealKey{});
    return started.has_value();
}

} // namespace

TEST_CASE("a megabyte goes both ways at once, between every pairing of engines this kernel has") {
    const std::string sent = pattern(1024 * 1024);
    for (const bool node_in_kernel : {false, true})
        for (const bool pi_in_kernel : {false, true}) {
            if ((node_in_kernel || pi_in_kernel) && !kernel_has_tls())
                continue;
            const auto secret = make_stream_secret();
            REQUIRE(secret.has_value());
            TcpPair pair;
            StreamSealer node_sealer(node_in_kernel);
            StreamSealer pi_sealer(pi_in_kernel);
            auto node = node_sealer.seal(std::move(pair.node), *secret, StreamSide::node);
            auto pi = pi_sealer.seal(std::move(pair.pi), *secret, StreamSide::pi);
            REQUIRE((node.has_value() && pi.has_value()));
            CHECK(node->engine == (node_in_kernel ? SealEngine::kernel : SealEngine::user));
            std::thread node_writes([&] { write_all(node->socket.get(), sent); });
            std::thread pi_writes([&] { write_all(pi->socket.get(), sent); });
            std::string at_node;
            std::thread node_reads(
                [&] { at_node = read_some_of(node->socket.get(), sent.size()); });
            const std::string at_pi = read_some_of(pi->socket.get(), sent.size());
            for (auto* thread : {&node_writes, &pi_writes, &node_reads})
                thread->join();
            CHECK(at_pi == sent);
            CHECK(at_node == sent);
        }
}

TEST_CASE("where one end closes, the other's stream ends") {
    const auto secret = make_stream_secret();
    for (const bool node_closes : {true, false}) {
        TcpPair pair;
        StreamSealer sealer(false);
        auto node = sealer.seal(std::move(pair.node), *secret, StreamSide::node);
        auto pi = sealer.seal(std::move(pair.pi), *secret, StreamSide::pi);
        auto& closing = node_closes ? node->socket : pi->socket;
        auto& waiting = node_closes ? pi->socket : node->socket;
        closing.reset();
        CHECK(ended(waiting.get()));
    }
}

TEST_CASE(
    "what is on the wire is not what was written, and a changed record ends that stream only") {
    const auto secret = make_stream_secret();
    StreamSealer sealer(false);
    TcpPair good;
    auto good_node = sealer.seal(std::move(good.node), *secret, StreamSide::node);
    auto good_pi = sealer.seal(std::move(good.pi), *secret, StreamSide::pi);
    TcpPair pair;
    auto pi = sealer.seal(std::move(pair.pi), *secret, StreamSide::pi);
    RecordSealer records(secret->from_node);
    std::string wire;
    REQUIRE(records.seal(std::string_view("first"), wire).has_value());
    CHECK(wire.find("first") == std::string::npos);
    write_all(pair.node.get(), wire);
    CHECK(read_some_of(pi->socket.get(), 5) == "first");
    wire.clear();
    REQUIRE(records.seal(std::string_view("second"), wire).has_value());
    wire[8] = static_cast<char>(wire[8] ^ 1);
    write_all(pair.node.get(), wire);
    CHECK(ended(pi->socket.get()));
    CHECK(ended(pair.node.get()));
    write_all(good_node->socket.get(), "still");
    CHECK(read_some_of(good_pi->socket.get(), 5) == "still");
}

TEST_CASE("no stream outlives its sealer's relay") {
    const auto secret = make_stream_secret();
    TcpPair pair;
    auto sealer = std::make_unique<StreamSealer>(false);
    auto node = sealer->seal(std::move(pair.node), *secret, StreamSide::node);
    sealer.reset();
    CHECK(ended(node->socket.get()));
    CHECK(ended(pair.pi.get()));
}
