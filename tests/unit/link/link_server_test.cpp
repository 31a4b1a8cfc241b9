// SPDX-License-Identifier: MIT
#include "base/rate_limit.hpp"
#include "link/link_server.hpp"
#include "link/link_socket_file.hpp"
#include "link_fixture.hpp"

#include <fstream>

#include <doctest/doctest.h>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace longcord;
using namespace std::chrono_literals;

namespace {

struct World {
    TemporaryFolder folder;
    Roots roots{folder.path()};
    asio::io_context loop{1};
    std::optional<Service> service_;

    Service& service(milliseconds dead_after = 60s) {
        if (!service_)
            service_.emplace(loop, roots, dead_after);
        return *service_;
    }
    std::unique_ptr<Peer> peer(std::string pi, std::uint64_t started = 1) {
        service();
        return std::make_unique<Peer>(loop, roots, Preface{std::move(pi), "10.77.0.2", started});
    }
    bool gets(Peer& peer, std::string_view text) {
        return run_until(loop, [&] {
            peer.read();
            return peer.received.find(text) != std::string::npos;
        });
    }
    bool closes(Peer& peer) {
        return run_until(loop, [&] {
            peer.read();
            return peer.closed;
        });
    }
};

constexpr const char* hello = "{\"type\":\"hello\",\"version\":1}\n";

} // namespace

TEST_CASE("a link is greeted, pinged, and heard") {
    World world;
    auto peer = world.peer("workbench");
    REQUIRE(world.gets(*peer, "\"type\":\"ping\""));
    CHECK(peer->received.starts_with(
        R"({"dead_after_ms":60000,"node":"pve1","nodes":[],"pi":"workbench",)"
        R"("software":"longcord-host 0.1.0","type":"welcome","version":1})"));
    CHECK(world.service().ups == std::vector<LinkUp>{{"workbench", "10.77.0.2"}});
    peer->send(
        std::string(hello) +
        "{\"type\":\"devices\",\"devices\":[]}\n{\"type\":\"pong\",\"n\":1}\n");
    REQUIRE(run_until(world.loop, [&] { return world.service().messages.size() == 2; }));
    CHECK(world.service().messages[0] == std::pair(std::string("workbench"), PiMessage(Hello{})));
    CHECK(std::holds_alternative<Devices>(world.service().messages[1].second));
    CHECK(run_until(
        world.loop, [&] { return world.service().server.round_trip("workbench").has_value(); }));
    CHECK(world.service().messages.size() == 2); // the pong stays in the server
    CHECK(world.service().server.round_trip("other") == std::nullopt);
    world.service().server.send("workbench", State{"1-1", "pve1", 100, "plugged", ""});
    world.service().server.send("other", State{"1-1", "pve1", 100, "plugged", ""});
    CHECK(world.gets(*peer, "\"state\":\"plugged\""));
    peer.reset();
    REQUIRE(run_until(world.loop, [&] { return world.service().downs.size() == 1; }));
    CHECK(world.service().downs[0].second.message == "Pi workbench: link closed");
}

TEST_CASE("nonsense is answered and reported by Pi and field; the link and the others stay") {
    World world;
    auto good = world.peer("good");
    auto bad = world.peer("bad");
    bad->send("nonsense\n{\"type\":\"removed\",\"busid\":\"../x\"}\n{\"type\":\"\xff\"}\n");
    bad->send(std::string(max_link_line + 1, 'x') + "\n");
    REQUIRE(run_until(world.loop, [&] { return world.service().refused.size() == 4; }));
    CHECK(world.gets(*bad, R"("message":"Pi bad: busid: \"../x\" is no busid such as 1-1.2")"));
    CHECK(world.gets(*bad, R"("message":"Pi bad: line: is longer than 65536 bytes")"));
    for (const auto& [pi, error] : world.service().refused) {
        CHECK(pi == "bad");
        CHECK(error.message.starts_with("Pi bad: "));
    }
    good->send("{\"type\":\"removed\",\"busid\":\"1-1\"}\n");
    bad->send("{\"type\":\"removed\",\"busid\":\"1-2\"}\n");
    CHECK(run_until(world.loop, [&] { return world.service().messages.size() == 2; }));
    CHECK(world.service().downs.empty());
    good->read();
    CHECK(good->received.find("error") == std::string::npos);
}

TEST_CASE("an endless line is refused once and held nowhere") {
    World world;
    auto bad = world.peer("bad");
    for (int i = 0; i < 64; ++i) {
        bad->send(std::string(64 * 1024, 'x'));
        // The server's own reading makes room for the next.
        REQUIRE(run_until(world.loop, [&] {
            int unread = 0;
            return ::send(bad->fd, &unread, 0, 0) == 0 && world.loop.poll() == 0;
        }));
    }
    bad->send(std::string("\n") + hello);
    CHECK(run_until(world.loop, [&] { return world.service().messages.size() == 1; }));
    CHECK(world.service().refused.size() == 1);
}

TEST_CASE("a flood of nonsense is reported twenty times, then once a second with a count") {
    World world;
    auto bad = world.peer("bad");
    std::string flood;
    for (int i = 0; i < 150; ++i)
        flood += "x\n";
    bad->send(flood + hello);
    REQUIRE(run_until(world.loop, [&] { return world.service().messages.size() == 1; }));
    CHECK(world.service().refused.size() >= 20);
    CHECK(world.service().refused.size() <= 22);
    // One at a time: the next is sent once the one before it was taken, reported or not.
    REQUIRE(run_until(world.loop, [&, sent = std::size_t{1}]() mutable {
        if (world.service().messages.size() == sent) {
            bad->send(std::string("x\n") + hello);
            ++sent;
        }
        return world.service().refused.back().second.message.find("more messages refused)") !=
               std::string::npos;
    }));
}

TEST_CASE("a version that is not spoken is said in a sentence, and nothing else is taken") {
    World world;
    auto peer = world.peer("workbench");
    peer->send("{\"type\":\"hello\",\"version\":9,\"software\":\"longcord-pi 9\"}\n"
               "{\"type\":\"removed\",\"busid\":\"1-1\"}\n");
    REQUIRE(world.gets(*peer, "speaks version 9"));
    REQUIRE(world.service().refused.size() == 1);
    CHECK(world.service().refused[0].second.kind == ErrorKind::refused);
    peer->send(hello);
    REQUIRE(run_until(world.loop, [&] { return !world.service().messages.empty(); }));
    CHECK(world.service().messages[0].second == PiMessage(Hello{}));
}

TEST_CASE("a Pi with a dead_after of its own is told that, and judged by it") {
    World world;
    world.service(60s).dead_after_of["slow"] = 300ms;
    auto usual = world.peer("workbench");
    auto own = world.peer("slow");
    REQUIRE(world.gets(*usual, "\"dead_after_ms\":60000"));
    REQUIRE(world.gets(*own, "\"dead_after_ms\":300"));
    REQUIRE(run_until(world.loop, [&] { return !world.service().downs.empty(); }));
    CHECK(world.service().downs.size() == 1);
    CHECK(
        world.service().downs[0].second == fail(ErrorKind::timeout, "Pi slow: silent for 300 ms"));
}

TEST_CASE("silence takes the link down, a word brings it up again, with a new welcome") {
    World world;
    world.service(300ms);
    auto peer = world.peer("workbench");
    REQUIRE(run_until(world.loop, [&] { return world.service().downs.size() == 1; }));
    CHECK(
        world.service().downs[0].second ==
        fail(ErrorKind::timeout, "Pi workbench: silent for 300 ms"));
    peer->read();
    CHECK_FALSE(peer->closed);
    peer->received.clear();
    peer->send(hello);
    REQUIRE(world.gets(*peer, "welcome"));
    CHECK(world.service().ups.size() == 2);
    CHECK(world.service().messages.size() == 1);
}

TEST_CASE("a newer link of the same Pi replaces the older, in whatever order they come") {
    World world;
    auto old = world.peer("workbench", 100);
    REQUIRE(world.gets(*old, "welcome"));
    auto young = world.peer("workbench", 200);
    REQUIRE(world.gets(*young, "welcome"));
    CHECK(world.gets(*old, R"({"final":true,"message":"replaced by a newer link from 10.77.0.2")"));
    CHECK(world.closes(*old));
    CHECK(world.service().ups.size() == 2);
    CHECK(world.service().downs.size() == 1);
    auto again = world.peer("workbench", 100); // the old one connects once more
    REQUIRE(world.gets(*again, "\"final\":true"));
    CHECK(world.closes(*again));
    young->send(hello);
    CHECK(run_until(world.loop, [&] { return world.service().messages.size() == 1; }));
    CHECK(world.service().downs.size() == 1);
}

TEST_CASE("a Pi that does not read is closed when 1 MiB waits for it; others are served") {
    World world;
    auto deaf = world.peer("deaf");
    auto good = world.peer("good");
    REQUIRE(run_until(world.loop, [&] { return world.service().ups.size() == 2; }));
    const State state{"1-1", "pve1", {}, "waiting", std::string(900, 'w')};
    for (int i = 0; i < 900; ++i)
        world.service().server.send("deaf", state);
    REQUIRE(world.gets(*good, "ping"));
    CHECK(world.service().downs.empty()); // 0.9 MB wait
    for (int i = 0; i < 600; ++i)
        world.service().server.send("deaf", state);
    REQUIRE(run_until(world.loop, [&] { return !world.service().downs.empty(); }));
    CHECK(world.service().downs[0].second.kind == ErrorKind::full);
    world.service().server.send("good", state);
    CHECK(world.gets(*good, "waiting"));
}

TEST_CASE("more than 200 messages a second are read more slowly, and none is dropped") {
    World world;
    auto peer = world.peer("busy");
    auto good = world.peer("good");
    std::string flood;
    for (int i = 0; i < 400; ++i)
        flood += "{\"type\":\"removed\",\"busid\":\"1-1\"}\n";
    const TimePoint began = Clock::now();
    peer->send(flood);
    REQUIRE(run_until(world.loop, [&] { return world.service().messages_of("busy") >= 250; }));
    good->send(hello);
    REQUIRE(run_until(world.loop, [&] { return world.service().messages_of("good") == 1; }));
    CHECK(world.service().messages_of("busy") < 400); // it did not wait for the flood's end
    REQUIRE(run_until(world.loop, [&] { return world.service().messages_of("busy") == 400; }));
    CHECK(Clock::now() - began >= 990ms);
}

TEST_CASE("256 Pis at most; the next one is told so") {
    World world;
    std::vector<std::unique_ptr<Peer>> peers;
    for (std::size_t i = 0; i < LinkServer::max_pis; ++i) {
        peers.push_back(world.peer("pi" + std::to_string(i)));
        REQUIRE(run_until(world.loop, [&] { return world.service().ups.size() == i + 1; }));
    }
    auto more = world.peer("more");
    REQUIRE(world.gets(*more, "256 Pis are linked to pve1 already"));
    CHECK(world.closes(*more));
    REQUIRE(world.service().refused.size() == 1);
    CHECK(world.service().refused[0].second.kind == ErrorKind::full);
    auto same = world.peer("pi7", 2); // one that is counted already
    CHECK(world.gets(*same, "welcome"));
    peers.pop_back();
    REQUIRE(run_until(world.loop, [&] { return world.service().downs.size() == 2; }));
    auto now = world.peer("more");
    CHECK(world.gets(*now, "welcome"));
}

TEST_CASE("a first line that is no preface ends the connection") {
    World world;
    world.service();
    Peer peer(world.loop, world.roots);
    peer.send("{\"pi\":\"../x\",\"address\":\"::1\"}\n");
    CHECK(world.closes(peer));
    CHECK(world.service().ups.empty());
}

TEST_CASE("connections that say nothing are bounded, and keep nobody out for long") {
    World world;
    world.service();
    std::vector<std::unique_ptr<Peer>> strangers;
    for (unsigned i = 0; i < LinkServer::max_strangers + 1; ++i)
        strangers.push_back(std::make_unique<Peer>(world.loop, world.roots));
    CHECK(world.closes(*strangers.back()));
    CHECK(world.closes(*strangers.front())); // at the preface deadline
    auto peer = world.peer("workbench");
    CHECK(world.gets(*peer, "welcome"));
}

TEST_CASE("the socket takes the place of a stale one and is not for everybody") {
    World world;
    std::filesystem::create_directories(world.roots.run());
    { std::ofstream stale(link_socket_path(world.roots)); }
    world.service();
    auto peer = world.peer("workbench");
    CHECK(world.gets(*peer, "welcome"));
    struct stat info {};
    REQUIRE(::stat(link_socket_path(world.roots).c_str(), &info) == 0);
    CHECK((info.st_mode & 0007) == 0);
}

TEST_CASE("another user's process is sent away, even where the file would let it in") {
    if (::geteuid() != 0) {
        MESSAGE("needs root");
        return;
    }
    World world;
    world.service();
    std::filesystem::permissions(link_socket_path(world.roots), std::filesystem::perms(0666));
    std::filesystem::permissions(world.roots.run(), std::filesystem::perms(0755));
    const pid_t child = ::fork();
    if (child == 0) {
        bool closed = false;
        if (::setuid(65534) == 0) {
            try {
                Peer peer(world.loop, world.roots, Preface{"workbench", "::1", 1});
                for (int i = 0; i < 500 && !peer.closed; ++i) {
                    ::usleep(10'000);
                    peer.read();
                }
                closed = peer.closed && peer.received.empty();
            } catch (const std::exception&) {
                closed = true; // hung up before the first line was out
            }
        }
        ::_exit(closed ? 0 : 1);
    }
    int status = -1;
    REQUIRE(run_until(world.loop, [&] { return ::waitpid(child, &status, WNOHANG) == child; }));
    CHECK(status == 0);
    CHECK(world.service().ups.empty());
}

// --- pairing, and keys that go ---

TEST_CASE("a throw-away key says one line and hears one, and is no link") {
    World world;
    world.service();
    Preface preface{"workbench", "10.77.0.2", 1, "SHA256:x", true};
    Peer peer(world.loop, world.roots, preface);
    CHECK_FALSE(run_until(
        world.loop, [&] { return !world.service().ups.empty(); }, 300ms));
    peer.send("a key\n");
    REQUIRE(world.gets(peer, R"("message":"heard a key from workbench by SHA256:x")"));
    CHECK(world.closes(peer));
    CHECK(world.service().ups.empty());
    CHECK(world.service().server.linked_keys(Clock::now()).empty());
}

TEST_CASE("a link whose key is gone is told why, and ends") {
    World world;
    world.service();
    Peer peer(world.loop, world.roots, Preface{"workbench", "10.77.0.2", 1, "SHA256:x"});
    REQUIRE(world.gets(peer, "welcome"));
    auto& server = world.service().server;
    const auto keys = server.linked_keys(Clock::now());
    REQUIRE(keys.size() == 1);
    CHECK(keys[0].pi == "workbench");
    CHECK(keys[0].key == "SHA256:x");
    CHECK(server.linked_keys(Clock::now() - 1h).empty()); // not there yet at that time
    server.expel("other", "nobody");
    server.expel("workbench", "it is not paired any more");
    CHECK(world.gets(peer, R"("final":true,"message":"it is not paired any more")"));
    CHECK(world.closes(peer));
    REQUIRE(world.service().downs.size() == 1);
    CHECK(world.service().downs[0].second.message == "Pi workbench: it is not paired any more");
}

TEST_CASE("a linked Pi is welcomed anew where the cluster has changed") {
    World world;
    auto peer = world.peer("workbench");
    REQUIRE(world.gets(*peer, R"("nodes":[])"));
    const std::vector<NodeAddress> nodes{{"pve2", "10.77.0.3", 22, {"ssh-ed25519 AAAA"}}};
    world.service().server.set_nodes(nodes);
    CHECK(world.gets(*peer, R"("address":"10.77.0.3")"));
    peer->received.clear();
    world.service().server.set_nodes(nodes); // nothing new
    world.service().server.send("workbench", State{"1-1", "pve1", 100, "plugged", ""});
    REQUIRE(world.gets(*peer, "plugged"));
    CHECK(peer->received.find("welcome") == std::string::npos);
}

TEST_CASE("a time-out that was changed counts at once, for the Pi that it is of") {
    World world;
    auto& service = world.service(60s);
    auto patient = world.peer("patient");
    auto hasty = world.peer("hasty");
    REQUIRE(world.gets(*hasty, "\"type\":\"welcome\""));
    REQUIRE(world.gets(*patient, "\"type\":\"welcome\""));
    patient->received.clear();
    service.dead_after_of["hasty"] = 1s;
    service.server.set("pve1");
    CHECK(world.gets(*hasty, R"("dead_after_ms":1000)"));
    REQUIRE(run_until(world.loop, [&] { return !service.downs.empty(); }));
    CHECK(service.downs[0].first == "hasty");
    patient->read();
    CHECK(patient->received.find("welcome") == std::string::npos);
}
