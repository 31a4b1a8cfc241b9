// SPDX-License-Identifier: MIT
// The port as strangers, nodes and plain clients meet it: real connections, a fake sysfs, a played
// link.
#include "../usb/fake_sysfs.hpp"
#include "base/spawn.hpp"
#include "pi/usbip_server.hpp"
#include "seal/stream_preface.hpp"
#include "usb/sysfs_reader.hpp"

#include <map>
#include <tuple>

#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace longcord;
using namespace longcord::testing;

namespace {

const std::string node1 = "pve1:22";
const std::string node2 = "pve2:22";

std::uint16_t free_port() {
    const UniqueFd probe(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(probe.get(), reinterpret_cast<sockaddr*>(&address), size);
    ::getsockname(probe.get(), reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.sin_port);
}

struct Port {
    Port() {
        sys.controller(1, "/devices/platform/fe9c0000.xhci");
        for (const char* busid : {"1-1", "1-2"}) {
            sys.device(busid);
            sys.bind(busid, "usbip-host");
            set_status(busid, "1");
            FakeSysfs::write(sys.devices() / busid / "usbip_sockfd", "");
        }
        FakeSysfs::write(sys.devices() / "../drivers/usbip-host/match_busid", "");
        config.usbip_port = free_port();
        Arbiter::Outside outside;
        outside.why_not = [this](const std::string& busid) -> std::optional<std::string> {
            if (read_local_device(sys.roots(), busid))
                return std::nullopt;
            return "nothing is plugged there";
        };
        outside.tell = [this](const std::string& link, PiMessage message) {
            told.emplace_back(link, std::move(message));
        };
        outside.silent = [this](const std::string&) { return silent; };
        outside.dead_after = [this](const std::string&) { return dead_after; };
        outside.renew = [this](const std::string& busid) { renewed.push_back(busid); };
        arbiter.emplace(loop, pool, sys.roots(), journal, outside);
        server.emplace(loop, pool, sys.roots(), *arbiter, journal, [this] {
            return std::vector{describe(read_local_device(sys.roots(), "1-1").value())};
        });
        for (const char* busid : {"1-1", "1-2"})
            arbiter->device_there(busid, 2);
        spawn_guarded(loop, "arbiter", arbiter->run());
    }
    void listen() {
        server->configure(config);
        spawn_guarded(loop, "server", server->run());
        REQUIRE(until([&] { return server->status().listening; }));
    }
    void set_status(const std::string& busid, const std::string& status) {
        FakeSysfs::write(sys.devices() / busid / "usbip_status", status + "\n");
    }
    template <class Condition> bool until(Condition condition) {
        const auto end = Clock::now() + seconds(20); // only a broken program needs so long
        while (!condition() && Clock::now() < end)
            loop.run_one_for(milliseconds(5));
        return condition();
    }
    UniqueFd connect(const char* from = "127.0.0.1") {
        UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        ::inet_pton(AF_INET, from, &address.sin_addr);
        REQUIRE(::bind(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
        address.sin_port = htons(config.usbip_port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        REQUIRE(
            ::connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
        return client;
    }
    /// What the other end says, until `size` bytes came or it has closed.
    std::string hear(const UniqueFd& client, std::size_t size) {
        std::string heard;
        until([&] {
            char bytes[512];
            const auto more = ::recv(
                client.get(), bytes, std::min(sizeof bytes, size - heard.size()), MSG_DONTWAIT);
            if (more > 0)
                heard.append(bytes, static_cast<std::size_t>(more));
            return more == 0 || heard.size() == size;
        });
        return heard;
    }
    bool closes(const UniqueFd& client) {
        return until([&] {
            char byte = 0;
            const auto more = ::recv(client.get(), &byte, 1, MSG_DONTWAIT);
            return more == 0 || (more < 0 && errno == ECONNRESET);
        });
    }
    void say(const UniqueFd& client, std::string_view bytes) {
        REQUIRE(
            ::send(client.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(bytes.size()));
    }
    StreamSecret open(const std::string& busid, const std::string& link = node1) {
        Open message;
        message.n = 7;
        message.busid = busid;
        message.vmid = 100;
        message.secret = make_stream_secret().value();
        arbiter->open(link, link.substr(0, 4), message);
        return message.secret;
    }
    /// The clear end of a node's stream.
    UniqueFd sealed(const StreamSecret& secret, StreamSealer& sealer) {
        auto client = connect();
        const auto preface = format_stream_preface(secret.ticket);
        say(client, {reinterpret_cast<const char*>(preface.data()), preface.size()});
        return std::move(sealer.seal(std::move(client), secret, StreamSide::node)->socket);
    }
    template <class Message> std::vector<std::string> told_of() const {
        std::vector<std::string> links;
        for (const auto& [link, message] : told)
            if (std::holds_alternative<Message>(message))
                links.push_back(link);
        return links;
    }

    FakeSysfs sys;
    asio::io_context loop;
    WorkerPool pool{loop};
    std::vector<std::string> events;
    PiJournal journal{[this](const Event& event) { events.push_back(event.kind); }};
    PiConfig config;
    std::vector<std::pair<std::string, PiMessage>> told;
    std::vector<std::string> renewed;
    std::optional<milliseconds> silent;
    milliseconds dead_after{3000};
    std::optional<Arbiter> arbiter;
    std::optional<UsbipServer> server;
};

/// Of a socket that the kernel may get, or has.
std::map<std::string, int> options_of(int socket) {
    std::map<std::string, int> options;
    const std::tuple<const char*, int, int> all[] = {
        {"keepalive", SOL_SOCKET, SO_KEEPALIVE},         {"idle", IPPROTO_TCP, TCP_KEEPIDLE},
        {"interval", IPPROTO_TCP, TCP_KEEPINTVL},        {"count", IPPROTO_TCP, TCP_KEEPCNT},
        {"user timeout", IPPROTO_TCP, TCP_USER_TIMEOUT}, {"no delay", IPPROTO_TCP, TCP_NODELAY}};
    for (const auto& [name, level, option] : all) {
        socklen_t size = sizeof(int);
        ::getsockopt(socket, level, option, &options[name], &size);
    }
    return options;
}
const std::map<std::string, int> dies_with_its_peer{{"keepalive", 1},       {"idle", 1},
                                                    {"interval", 1},        {"count", 3},
                                                    {"user timeout", 3000}, {"no delay", 1}};

/// The server's descriptor of this connection, which is in this process too.
int served_end_of(int client) {
    sockaddr_in near{};
    socklen_t size = sizeof near;
    ::getsockname(client, reinterpret_cast<sockaddr*>(&near), &size);
    for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
        const int fd = std::stoi(entry.path().filename());
        sockaddr_in6 peer{}; // the port listens on both
        size = sizeof peer;
        if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) == 0 &&
            peer.sin6_family == AF_INET6 && peer.sin6_port == near.sin_port)
            return fd;
    }
    return -1;
}

std::string reply_of(Port& port, const UniqueFd& client) {
    return port.hear(client, op_header_size + wire_device_size);
}

} // namespace

TEST_CASE("a node with its ticket gets its device, and the kernel gets the socket") {
    Port port;
    port.listen();
    const auto secret = port.open("1-1");
    CHECK(port.told_of<Opened>() == std::vector<std::string>{node1});
    StreamSealer sealer(false);
    const auto stream = port.sealed(secret, sealer);
    port.say(stream, format_import_request("1-1").value());
    const auto reply = reply_of(port, stream);
    REQUIRE(reply.size() == op_header_size + wire_device_size);
    CHECK(parse_wire_device(reply.substr(op_header_size))->busid == "1-1");
    REQUIRE(port.until([&] {
        const auto status = port.arbiter->stream_of("1-1");
        return status && !status->engine.empty();
    }));
    CHECK((port.arbiter->stream_of("1-1")->holder == Holder{node1, "pve1", 100}));
    CHECK((port.arbiter->stream_of("1-1")->state == Lease::State::streaming));
    CHECK_FALSE(fs::is_empty(port.sys.devices() / "1-1/usbip_sockfd"));
}

TEST_CASE("a device that is still being bound is given once it is bound") {
    Port port;
    fs::remove(port.sys.devices() / "1-1/usbip_status");
    bool asked = false;
    bool bound = false;
    port.server->wait_for_binds([&](std::string busid, milliseconds) -> Task<> {
        asked = busid == "1-1";
        while (!bound)
            co_await sleep_for(milliseconds(1));
    });
    port.listen();
    StreamSealer sealer(false);
    const auto stream = port.sealed(port.open("1-1"), sealer);
    port.say(stream, format_import_request("1-1").value());
    REQUIRE(port.until([&] { return asked; }));
    port.set_status("1-1", "1");
    bound = true;
    CHECK(parse_wire_device(reply_of(port, stream).substr(op_header_size))->busid == "1-1");
}

TEST_CASE("a device whose bind fails is refused") {
    Port port;
    fs::remove(port.sys.devices() / "1-1/usbip_status");
    port.server->wait_for_binds([&](std::string, milliseconds) -> Task<> { co_return; });
    port.listen();
    StreamSealer sealer(false);
    const auto stream = port.sealed(port.open("1-1"), sealer);
    port.say(stream, format_import_request("1-1").value());
    const auto reply = port.hear(stream, op_header_size);
    CHECK_FALSE(check_reply(*parse_op_header(reply), OpCode::rep_import).has_value());
    REQUIRE(port.until([&] { return !port.arbiter->stream_of("1-1"); }));
}

TEST_CASE(
    "a sealed stream's connection dies with its peer, whoever carries it, by its node's time-out") {
    Port port;
    port.listen();
    port.dead_after = milliseconds(10'000);
    const auto secret = port.open("1-1");
    const auto client = port.connect();
    const auto preface = format_stream_preface(secret.ticket);
    port.say(client, {reinterpret_cast<const char*>(preface.data()), preface.size()});
    auto wanted = dies_with_its_peer;
    wanted["user timeout"] = 10'000;
    wanted["count"] = 10;
    CHECK(port.until([&] { return options_of(served_end_of(client.get())) == wanted; }));
}

TEST_CASE("the end of a stream is noticed, and who waits is told") {
    Port port;
    port.listen();
    StreamSealer sealer(false);
    {
        const auto stream = port.sealed(port.open("1-1"), sealer);
        port.say(stream, format_import_request("1-1").value());
        REQUIRE_FALSE(reply_of(port, stream).empty());
        port.open("1-1", node2);
        CHECK(port.told_of<Busy>() == std::vector<std::string>{node2});
        CHECK(port.told_of<Available>().empty());
    }
    REQUIRE(port.until([&] { return !port.told_of<Available>().empty(); }));
    CHECK(port.told_of<Available>() == std::vector<std::string>{node2});
    CHECK_FALSE(port.arbiter->stream_of("1-1").has_value());
}

TEST_CASE("a stream that dies with its link leaves the device with its node for a moment") {
    Port port;
    port.listen();
    StreamSealer sealer(false);
    {
        const auto stream = port.sealed(port.open("1-1"), sealer);
        port.say(stream, format_import_request("1-1").value());
        REQUIRE_FALSE(reply_of(port, stream).empty());
        port.silent = milliseconds(1);
    }
    REQUIRE(port.until([&] {
        const auto status = port.arbiter->stream_of("1-1");
        return status && status->state == Lease::State::held_back;
    }));
    port.open("1-1", node2);
    CHECK(port.told_of<Busy>() == std::vector<std::string>{node2});
    REQUIRE(port.until([&] { return !port.told_of<Available>().empty(); })); // after 1 ms and 1 s
}

TEST_CASE("a ticket that was used, or never given, closes the connection and is counted") {
    Port port;
    port.listen();
    const auto secret = port.open("1-1");
    StreamSealer sealer(false);
    const auto stream = port.sealed(secret, sealer);
    port.say(stream, format_import_request("1-1").value());
    REQUIRE_FALSE(reply_of(port, stream).empty());
    CHECK(port.closes(port.sealed(secret, sealer)));
    CHECK(port.closes(port.sealed(make_stream_secret().value(), sealer)));
    CHECK((port.arbiter->refused() == Tickets::Refused{1, 1, 0}));
    CHECK((port.arbiter->stream_of("1-1")->state == Lease::State::streaming));
}

TEST_CASE("a ticket is good for its own busid only") {
    Port port;
    port.listen();
    StreamSealer sealer(false);
    const auto stream = port.sealed(port.open("1-1"), sealer);
    port.say(stream, format_import_request("1-2").value());
    CHECK(port.closes(stream));
    CHECK(fs::is_empty(port.sys.devices() / "1-2/usbip_sockfd"));
    CHECK_FALSE(port.arbiter->stream_of("1-1").has_value());
}

TEST_CASE("the ticket alone, without its keys, gets nothing") {
    Port port;
    port.listen();
    auto secret = port.open("1-1");
    const auto ticket = secret.ticket;
    secret = make_stream_secret().value();
    secret.ticket = ticket;
    StreamSealer sealer(false);
    const auto stream = port.sealed(secret, sealer);
    port.say(stream, format_import_request("1-1").value());
    CHECK(port.closes(stream));
    REQUIRE(port.until([&] { return !port.arbiter->stream_of("1-1"); }));
    CHECK(fs::is_empty(port.sys.devices() / "1-1/usbip_sockfd"));
}

TEST_CASE("a stream ends by itself after its own node's time-out") {
    Port port;
    CHECK(port.arbiter->redeem(port.open("1-1").ticket)->dead_after == milliseconds(3000));
    port.dead_after = milliseconds(10'000);
    CHECK(port.arbiter->redeem(port.open("1-2").ticket)->dead_after == milliseconds(10'000));
}

TEST_CASE("a ticket goes with its link") {
    Port port;
    port.listen();
    const auto secret = port.open("1-1");
    port.arbiter->link_down(node1);
    StreamSealer sealer(false);
    CHECK(port.closes(port.sealed(secret, sealer)));
    CHECK((port.arbiter->refused() == Tickets::Refused{0, 0, 1}));
}

TEST_CASE("whoever is no node and not allowed finds a closed connection") {
    Port port;
    port.listen();
    using namespace std::string_literals;
    for (const auto& first :
         {"\x01\x11"s, "GET / HTTP/1.1\r\n"s, "\x16\x03\x01"s, "\0"s, "LCRX"s}) {
        const auto client = port.connect();
        port.say(client, first);
        CHECK(port.closes(client)); // the last one begins as a preface does, and then is silent
    }
    CHECK(port.until([&] { return port.server->status().turned_away == 5; }));
    CHECK(port.until([&] { return port.server->status().strangers == 0; }));
}

TEST_CASE("a silent client is gone after 2 s") {
    Port port;
    port.listen();
    const auto began = Clock::now();
    const auto client = port.connect();
    CHECK(port.closes(client));
    CHECK(Clock::now() - began >= UsbipServer::patience);
    CHECK(port.until([&] { return port.server->status().strangers == 0; }));
}

TEST_CASE("a crowd of strangers keeps no node from its device") {
    Port port;
    port.server->know_nodes([](const std::string& address) { return address == "127.0.0.1"; });
    port.listen();
    const auto secret = port.open("1-1");
    std::vector<UniqueFd> crowd; // they go after 2 s, so more of them come
    REQUIRE(port.until([&] {
        if (port.server->status().strangers < 17) // 16, and one for the ticket that is expected
            crowd.push_back(
                port.connect(fmt::format("127.0.1.{}", 1 + crowd.size() % 250).c_str()));
        return port.server->status().strangers == 17;
    }));
    CHECK(port.closes(port.connect("127.0.0.99")));
    StreamSealer sealer(false);
    const auto stream = port.sealed(secret, sealer);
    port.say(stream, format_import_request("1-1").value());
    CHECK_FALSE(reply_of(port, stream).empty());
}

TEST_CASE("whoever says a little at a time has 2 s for all of it") {
    Port port;
    port.listen();
    const auto secret = port.open("1-1");
    const auto preface = format_stream_preface(secret.ticket);
    const auto client = port.connect();
    const auto began = Clock::now();
    std::size_t said = 0;
    bool open = true;
    while (open && said < preface.size() - 1) {
        open = ::send(client.get(), &preface[said++], 1, MSG_NOSIGNAL) == 1;
        const auto next = Clock::now() + milliseconds(100);
        char byte = 0;
        while (open && Clock::now() < next) {
            port.loop.run_one_for(milliseconds(5));
            open = ::recv(client.get(), &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
        }
    }
    CHECK_FALSE(open);
    CHECK(Clock::now() - began >= UsbipServer::patience);
    CHECK(port.arbiter->refused() == Tickets::Refused{}); // its ticket was not read
    CHECK(port.until([&] { return port.server->status().strangers == 0; }));
}

TEST_CASE("what is no request of an allowed client ends its connection, and nobody else's") {
    using namespace std::string_literals;
    Port port;
    port.config.usbip_allow = {Network::parse("127.0.0.1").value()};
    port.listen();
    const auto import = "\x01\x11\x80\x03\0\0\0\0"s;
    for (const auto& request :
         {"\x01\x06\x80\x05\0\0\0\0"s,                   // USB/IP 1.0.6
          "\x01\x10\x80\x05\0\0\0\0"s,                   // one that never was
          "\x01\x11\x80\x02\0\0\0\0"s,                   // OP_REQ_DEVINFO
          "\x01\x11\0\x03\0\0\0\0"s,                     // a reply
          import + std::string(32, '1'),                 // a busid that has no end
          import + "../../1-1"s + std::string(23, '\0'), // a path
          import + std::string(32, '\0')}) {
        const auto client = port.connect();
        port.say(client, request);
        CHECK_MESSAGE(port.closes(client), request.size());
    }
    CHECK(port.until([&] { return port.server->status().turned_away == 7; }));
    CHECK_FALSE(port.arbiter->stream_of("1-1").has_value());
    // In the middle of a request: silent, and gone.
    for (const auto& begun : {import.substr(0, 5), import + "1-1"s}) {
        const auto client = port.connect();
        port.say(client, begun);
        ::shutdown(client.get(), SHUT_WR);
        CHECK(port.closes(client));
    }
    const auto good = port.connect();
    port.say(good, format_devlist_request());
    CHECK(parse_devlist_reply(port.hear(good, 100'000)).has_value());
}

TEST_CASE("a third stranger of one address is closed at once") {
    Port port;
    port.listen();
    const auto first = port.connect();
    const auto second = port.connect();
    REQUIRE(port.until([&] { return port.server->status().strangers == 2; }));
    CHECK(port.closes(port.connect()));
    CHECK(port.server->status().strangers == 2);
    CHECK(port.server->status().turned_away == 1);
}

TEST_CASE("an allowed plain client gets the list, and the device, and nothing is read beyond") {
    Port port;
    port.config.usbip_allow = {Network::parse("127.0.0.0/8").value()};
    port.listen();
    const auto lister = port.connect();
    port.say(lister, format_devlist_request());
    const auto list = port.hear(lister, 100'000);
    REQUIRE(parse_devlist_reply(list).has_value());
    CHECK(parse_devlist_reply(list)->front().busid == "1-1");

    const auto client = port.connect();
    port.say(client, format_import_request("1-1").value() + "the kernel's");
    REQUIRE_FALSE(reply_of(port, client).empty());
    REQUIRE(port.until([&] {
        const auto status = port.arbiter->stream_of("1-1");
        return status && status->engine == "plain";
    }));
    // The descriptor that the kernel was given: what the client said next is still in it.
    int given = -1;
    std::ifstream(port.sys.devices() / "1-1/usbip_sockfd") >> given;
    char bytes[32] = {};
    CHECK(::recv(given, bytes, sizeof bytes, MSG_DONTWAIT | MSG_PEEK) == 12);
    CHECK(std::string(bytes) == "the kernel's");
    CHECK(options_of(given) == dies_with_its_peer);

    const auto other = port.connect();
    port.say(other, format_import_request("1-1").value());
    CHECK(port.hear(other, 100) == format_import_refusal(OpStatus::device_busy));
    const auto third = port.connect();
    port.say(third, format_import_request("1-9").value());
    CHECK(port.hear(third, 100) == format_import_refusal(OpStatus::no_device));
}

TEST_CASE("a device in error state is refused with that status, and bound anew") {
    Port port;
    port.config.usbip_allow = {Network::parse("127.0.0.1").value()};
    port.listen();
    port.set_status("1-1", "3");
    const auto client = port.connect();
    port.say(client, format_import_request("1-1").value());
    CHECK(port.hear(client, 100) == format_import_refusal(OpStatus::device_error));
    CHECK(port.until([&] { return port.renewed == std::vector<std::string>{"1-1"}; }));
}

TEST_CASE("a device that was in error state before the service came is bound anew") {
    Port port;
    port.set_status("1-1", "3");
    port.arbiter->device_there("1-1", 3);
    port.arbiter->device_there("1-2", 4);
    CHECK(port.renewed == std::vector<std::string>{"1-1"});
}

TEST_CASE("a device that the kernel gave up after a stream is bound anew") {
    Port port;
    port.config.usbip_allow = {Network::parse("127.0.0.1").value()};
    port.listen();
    {
        const auto client = port.connect();
        port.say(client, format_import_request("1-1").value());
        REQUIRE_FALSE(reply_of(port, client).empty());
        port.set_status("1-1", "3");
        int given = -1;
        std::ifstream(port.sys.devices() / "1-1/usbip_sockfd") >> given;
        ::shutdown(given, SHUT_RDWR); // as the kernel does
    }
    REQUIRE(port.until([&] { return port.renewed == std::vector<std::string>{"1-1"}; }));
}

TEST_CASE("a node's close ends its stream") {
    Port port;
    port.listen();
    StreamSealer sealer(false);
    const auto stream = port.sealed(port.open("1-1"), sealer);
    port.say(stream, format_import_request("1-1").value());
    REQUIRE_FALSE(reply_of(port, stream).empty());
    port.arbiter->close(node1, "1-1");
    CHECK(port.closes(stream));
    REQUIRE(port.until([&] { return !port.arbiter->stream_of("1-1"); }));
}

TEST_CASE("the next start knows whose the streams are") {
    Port port;
    port.listen();
    StreamSealer sealer(false);
    const auto stream = port.sealed(port.open("1-1"), sealer);
    port.say(stream, format_import_request("1-1").value());
    REQUIRE_FALSE(reply_of(port, stream).empty());
    REQUIRE(port.until([&] { return !read_stream_record(port.sys.roots()).empty(); }));
    port.set_status("1-1", "2");

    Arbiter::Outside outside;
    outside.why_not = [](const std::string&) { return std::nullopt; };
    outside.tell = [&](const std::string& link, PiMessage message) {
        port.told.emplace_back(link, std::move(message));
    };
    outside.silent = [](const std::string&) { return std::nullopt; };
    outside.renew = [&](const std::string& busid) { port.renewed.push_back(busid); };
    Arbiter next(port.loop, port.pool, port.sys.roots(), port.journal, outside);
    next.device_there("1-1", 2);
    next.device_there("1-2", 3);
    REQUIRE(next.stream_of("1-1").has_value());
    CHECK((next.stream_of("1-1")->holder == Holder{node1, "pve1", 100}));
    CHECK(next.stream_of("1-1")->engine == "user space");
    CHECK_FALSE(next.stream_of("1-2").has_value());
    // Its end is seen without a descriptor.
    port.set_status("1-1", "1");
    REQUIRE(port.until([&] { return !next.stream_of("1-1"); }));
}

TEST_CASE("a port that is taken is named with who has it, and taken over when it is free") {
    Port port;
    Port other;
    port.config.usbip_port = other.config.usbip_port;
    other.listen();
    // /proc is where it always is.
    fs::create_directory_symlink("/proc", port.sys.roots().prefix / "proc");
    port.server->configure(port.config);
    spawn_guarded(port.loop, "server", port.server->run());
    REQUIRE(port.until([&] { return !port.server->status().problem.empty(); }));
    const auto problem = port.server->status().problem;
    CHECK(problem.find(fmt::format("pid {}", ::getpid())) != std::string::npos);
    CHECK(problem.find("unit_pi") != std::string::npos);
    CHECK(port.events == std::vector<std::string>{"problem"});
    CHECK_FALSE(port.server->status().listening);
    other.config.usbip_port = free_port();
    other.server->configure(other.config);
    REQUIRE(port.until([&] {
        other.loop.poll();
        return port.server->status().listening;
    }));
    CHECK(port.server->status().problem.empty());
}
