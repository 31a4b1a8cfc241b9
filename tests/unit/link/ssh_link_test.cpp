// SPDX-License-Identifier: MIT
// The whole link, with nothing that stands in: LinkClient, libssh, sshd, longcord-keys,
// longcord-link, LinkServer.
#include "base/files.hpp"
#include "base/spawn.hpp"
#include "link/ssh_link.hpp"
#include "link/tcp_connect.hpp"
#include "link_fixture.hpp"
#include "sshd_fixture.hpp"

#include <algorithm>
#include <array>

#include <doctest/doctest.h>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace longcord;
using namespace std::chrono_literals;

namespace {

struct Client {
    Client(asio::io_context& loop, LinkTarget target)
        : link(
              loop, std::move(target),
              {.up = [this] { ++ups; },
               .message = [this](HostMessage m) { take(std::move(m)); },
               .down = [this](Error e) { downs.push_back(std::move(e)); }}) {
        spawn_guarded(loop, "the client under test", link.run());
    }

    void take(HostMessage message) {
        if (std::holds_alternative<Welcome>(message)) {
            ++welcomes;
            link.send(Hello{1, "longcord-pi test", 3240});
            link.send(Devices{});
        }
        messages.push_back(std::move(message));
    }

    int ups = 0;
    int welcomes = 0;
    std::vector<HostMessage> messages;
    std::vector<Error> downs;
    LinkClient link;
};

struct World {
    TemporaryFolder folder;
    Roots roots{folder.path()};
    Sshd sshd{folder.path()};
    asio::io_context loop{1};
    std::optional<Service> service;
    std::optional<Client> client;

    bool until(const std::function<bool()>& so) { return run_until(loop, so, 40s); }
    bool linked() {
        return until([&] { return client->link.linked() && service->messages.size() >= 2; });
    }
    std::string why() const { return client->link.last_problem() + '\n' + sshd.log(); }
};

bool rooted() {
    if (::geteuid() == 0)
        return true;
    MESSAGE("needs root: sshd runs its key command as another user");
    return false;
}

std::ptrdiff_t count_open_files() {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
}

} // namespace

TEST_CASE("a Pi's words reach the service through a real sshd, and back") {
    if (!rooted())
        return;
    World world;
    world.sshd.start();
    world.service.emplace(world.loop, world.roots);
    world.client.emplace(world.loop, world.sshd.target());
    REQUIRE_MESSAGE(world.linked(), world.why());
    CHECK(world.service->ups == std::vector<LinkUp>{{"workbench", "127.0.0.1"}});
    CHECK(world.service->messages[0].first == "workbench");
    CHECK(std::get<Hello>(world.service->messages[0].second).software == "longcord-pi test");
    CHECK(std::get<Welcome>(world.client->messages[0]).node == "pve1");
    CHECK(world.client->link.last_problem().empty());

    world.service->server.send("workbench", State{"1-1", "pve1", 100, "plugged", ""});
    CHECK(world.until([&] {
        return std::any_of(
            world.client->messages.begin(), world.client->messages.end(),
            [](const auto& m) { return std::holds_alternative<State>(m); });
    }));
    CHECK(world.until([&] { return world.service->server.round_trip("workbench").has_value(); }));

    // A list as long as a line may be, many times over: no byte is lost or out of order.
    Devices many;
    for (unsigned i = 1; i <= max_link_devices; ++i) {
        Device device;
        device.place = *Place::parse("workbench/1-" + std::to_string(i));
        device.serial = std::string(200, 's');
        many.devices.push_back(device);
    }
    const auto before = world.service->messages.size();
    for (int i = 0; i < 20; ++i)
        world.client->link.send(many);
    REQUIRE(world.until([&] { return world.service->messages.size() == before + 20; }));
    CHECK(std::get<Devices>(world.service->messages.back().second) == many);
    CHECK(world.service->refused.empty());
}

TEST_CASE("sshd killed and started again: the Pi comes back by itself") {
    if (!rooted())
        return;
    World world;
    world.sshd.start();
    world.service.emplace(world.loop, world.roots);
    world.client.emplace(world.loop, world.sshd.target());
    REQUIRE_MESSAGE(world.linked(), world.why());
    world.sshd.kill();
    REQUIRE(world.until(
        [&] { return world.client->downs.size() >= 2 && world.service->downs.size() == 1; }));
    CHECK_FALSE(world.client->link.linked());
    CHECK(world.client->link.last_problem().find("Connection refused") != std::string::npos);
    world.sshd.start();
    REQUIRE_MESSAGE(world.until([&] { return world.client->welcomes == 2; }), world.why());
    CHECK(world.until([&] { return world.service->messages.size() == 4; }));
    CHECK(world.client->ups == 2);
}

TEST_CASE("the service restarted: the SSH session stays, and the Pi is asked anew") {
    if (!rooted())
        return;
    World world;
    world.sshd.start();
    world.service.emplace(world.loop, world.roots);
    world.client.emplace(world.loop, world.sshd.target());
    REQUIRE_MESSAGE(world.linked(), world.why());
    for (int restart = 1; restart <= 3; ++restart) {
        world.service.reset();
        world.client->link.send(Removed{"1-1"}); // goes nowhere, and hurts nobody
        run_until(
            world.loop, [&] { return false; }, 200ms); // the service is away for a while
        world.service.emplace(world.loop, world.roots);
        REQUIRE_MESSAGE(
            world.until([&] { return world.client->welcomes == 1 + restart; }), world.why());
        REQUIRE(world.until([&] { return world.service->messages.size() == 2; }));
        CHECK(world.service->refused.empty());
    }
    CHECK(world.client->downs.empty());
    CHECK(world.client->ups == 1);
    const std::string log = world.sshd.log();
    const std::string accepted = "Accepted publickey";
    CHECK(log.find(accepted) == log.rfind(accepted));
}

TEST_CASE("a service that stays away is a silent link, not a lost session") {
    if (!rooted())
        return;
    World world;
    world.sshd.start();
    world.client.emplace(world.loop, world.sshd.target());
    REQUIRE_MESSAGE(
        world.until([&] {
            return world.client->link.last_problem().find("does not speak") != std::string::npos;
        }),
        world.why());
    CHECK_FALSE(world.client->link.linked());
    world.service.emplace(world.loop, world.roots);
    REQUIRE_MESSAGE(world.linked(), world.why());
    world.service.reset();
    REQUIRE(world.until([&] { return !world.client->link.linked(); }));
    CHECK(world.client->link.last_problem() == "127.0.0.1: its longcord service is silent");
    world.service.emplace(world.loop, world.roots);
    REQUIRE_MESSAGE(world.linked(), world.why());
    CHECK(world.client->ups == 2);
    CHECK(world.client->downs.size() == 1);
}

TEST_CASE("a wrong host key is refused before anything is said, with both fingerprints") {
    if (!rooted())
        return;
    World world;
    const auto other = world.sshd.make_key("other_host_key");
    world.sshd.pin(other);
    world.sshd.start();
    world.service.emplace(world.loop, world.roots);
    world.client.emplace(world.loop, world.sshd.target());
    REQUIRE(world.until([&] { return !world.client->downs.empty(); }));
    const Error why = world.client->downs[0];
    CHECK(why.kind == ErrorKind::refused);
    CHECK_MESSAGE(
        why.message.find(
            "wrong host key: ssh-ed25519 " +
            world.sshd.fingerprint(world.folder.path() / "host_key") + " was offered") !=
            std::string::npos,
        why.message);
    CHECK(why.message.find("ssh-ed25519 " + world.sshd.fingerprint(other)) != std::string::npos);
    CHECK(world.sshd.log().find("Accepted") == std::string::npos);
    CHECK(world.sshd.log().find("Failed") == std::string::npos);
}

TEST_CASE("an unknown host key and a missing known_hosts file are refused too") {
    if (!rooted())
        return;
    World world;
    world.sshd.start();
    const auto known_hosts = world.folder.path() / "known_hosts";
    REQUIRE(write_file(known_hosts, "elsewhere ssh-ed25519 AAAA\n").has_value());
    world.client.emplace(world.loop, world.sshd.target());
    REQUIRE(world.until([&] { return !world.client->downs.empty(); }));
    CHECK(world.client->downs[0].kind == ErrorKind::refused);
    CHECK(
        world.client->downs[0].message.find(" is not in " + known_hosts.string()) !=
        std::string::npos);
    world.client.reset();
    std::filesystem::remove(known_hosts);
    world.client.emplace(world.loop, world.sshd.target());
    REQUIRE(world.until([&] { return !world.client->downs.empty(); }));
    CHECK(world.client->downs[0].kind == ErrorKind::refused);
    CHECK(world.client->downs[0].message.find("no host key to compare with") != std::string::npos);
}

TEST_CASE("a key that is not paired is refused, and so is one that no longer is") {
    if (!rooted())
        return;
    World world;
    world.sshd.start();
    world.service.emplace(world.loop, world.roots);
    auto target = world.sshd.target();
    target.identity = world.sshd.make_key("stranger");
    world.client.emplace(world.loop, target);
    REQUIRE(world.until([&] { return !world.client->downs.empty(); }));
    CHECK(world.client->downs[0].kind == ErrorKind::refused);
    CHECK(world.client->downs[0].message.find("sshd refuses") != std::string::npos);
    world.client.reset();
    std::filesystem::remove(world.folder.path() / "etc/longcord/pis/workbench");
    world.client.emplace(world.loop, world.sshd.target());
    REQUIRE(world.until([&] { return !world.client->downs.empty(); }));
    CHECK(world.client->downs[0].kind == ErrorKind::refused);
    world.client.reset();
    target.identity = world.folder.path() / "missing";
    world.client.emplace(world.loop, target);
    REQUIRE(world.until([&] { return !world.client->downs.empty(); }));
    CHECK(world.client->downs[0].message.find("missing: no private key") != std::string::npos);
    CHECK(world.service->ups.empty());
}

TEST_CASE("a Pi's key file with options or garbage lets nobody in, and keeps nobody out") {
    if (!rooted())
        return;
    World world;
    const auto evil = world.sshd.make_key("evil");
    const auto key = read_file(evil.string() + ".pub", 1000);
    const auto pis = world.folder.path() / "etc/longcord/pis";
    REQUIRE(write_file(pis / "evil", "command=\"/bin/sh\" " + *key).has_value());
    REQUIRE(write_file(pis / "Evil", *key).has_value());
    REQUIRE(write_file(pis / "evil; id", *key).has_value());
    REQUIRE(write_file(pis / "evil\" ssh", *key).has_value());
    REQUIRE(write_file(pis / "garbage", std::string(100'000, '\xff')).has_value());
    REQUIRE(write_file(pis / "two", *key + *key).has_value());
    std::filesystem::create_directory(pis / "folder");
    // The cluster's word counts: this name is taken there, with another key.
    const auto pve = world.folder.path() / "etc/pve/priv/longcord/pis";
    std::filesystem::create_directories(world.folder.path() / "etc/pve/local");
    REQUIRE(write_file(pve / "cluster", *read_file(world.folder.path() / "host_key.pub", 1000))
                .has_value());
    REQUIRE(write_file(pis / "cluster", *key).has_value());
    world.sshd.start();
    world.service.emplace(world.loop, world.roots);
    auto target = world.sshd.target();
    target.identity = evil;
    world.client.emplace(world.loop, target);
    REQUIRE(world.until([&] { return !world.client->downs.empty(); }));
    CHECK(world.client->downs[0].kind == ErrorKind::refused);
    world.client.reset();
    world.client.emplace(world.loop, world.sshd.target());
    CHECK_MESSAGE(world.linked(), world.why());
}

TEST_CASE("the key can do nothing but the link") {
    if (!rooted())
        return;
    World world;
    world.sshd.start();
    const std::vector<std::string> ssh = {
        "ssh",
        "-F",
        "none",
        "-p",
        std::to_string(world.sshd.port()),
        "-i",
        (world.folder.path() / "identity").string(),
        "-o",
        "IdentitiesOnly=yes",
        "-o",
        "BatchMode=yes",
        "-o",
        "UserKnownHostsFile=" + (world.folder.path() / "known_hosts").string(),
        "-o",
        "ExitOnForwardFailure=yes",
        "-o",
        "SendEnv=LC_ALL"};
    const auto try_with = [&](std::vector<std::string> more) {
        auto words = ssh;
        words.insert(words.end(), more.begin(), more.end());
        return run_program(words);
    };
    const auto mark = world.folder.path() / "mark";
    const std::string command = "touch " + mark.string() + "; id";
    for (const auto& more : std::vector<std::vector<std::string>>{
             {"root@127.0.0.1", command},
             {"-tt", "root@127.0.0.1", command},
             {"-s", "root@127.0.0.1", "sftp"},
             {"-A", "root@127.0.0.1", "ssh-add -l"}}) {
        const auto done = try_with(more);
        CHECK_MESSAGE(done.output.find("uid=") == std::string::npos, done.output);
    }
    CHECK_FALSE(std::filesystem::exists(mark));
    const auto port = std::to_string(world.sshd.port());
    const auto forwarded = try_with({"-W", "127.0.0.1:" + port, "root@127.0.0.1"});
    CHECK(forwarded.output.find("SSH-2.0") == std::string::npos);
    CHECK(forwarded.output.find("administratively prohibited") != std::string::npos);
    CHECK(try_with({"-N", "-R", "0:127.0.0.1:1", "root@127.0.0.1"}).status == 255);
    CHECK(
        try_with({"-N", "-R", (world.folder.path() / "x.sock").string() + ":127.0.0.1:1",
                  "root@127.0.0.1"})
            .status == 255);
}

TEST_CASE("a node that is not there is tried again") {
    if (!rooted())
        return;
    World world;
    world.service.emplace(world.loop, world.roots);
    world.client.emplace(world.loop, world.sshd.target());
    REQUIRE(world.until([&] { return !world.client->downs.empty(); }));
    CHECK(world.client->downs[0].kind == ErrorKind::unavailable);
    world.sshd.start();
    CHECK_MESSAGE(world.linked(), world.why());
}

TEST_CASE("a client can be ended at any moment: it waits for nothing that the link waits for") {
    if (!rooted())
        return;
    World world;
    world.client.emplace(world.loop, world.sshd.target());
    REQUIRE(world.until([&] { return !world.client->downs.empty(); }));
    world.client.reset();
    const auto open_files = count_open_files(); // those of the loop are among them
    world.sshd.start();
    const auto logged_in = [&] { return !world.client->link.peer().empty(); };
    world.client.emplace(world.loop, world.sshd.target());
    const TimePoint began = Clock::now();
    REQUIRE_MESSAGE(world.until(logged_in), world.why());
    const auto login = Clock::now() - began;
    world.client.reset();
    // From before the name is looked up until after the login. The whole lasts 40 logins, however
    // slow they are.
    constexpr int moments = 64;
    Clock::duration longest{};
    for (int moment = 0; moment < moments; ++moment) {
        world.client.emplace(world.loop, world.sshd.target());
        const TimePoint end = Clock::now() + login * moment * 5 / (moments * 4);
        while (Clock::now() < end) {
            world.loop.restart();
            world.loop.run_one_until(end);
        }
        const TimePoint ended = Clock::now();
        world.client.reset();
        longest = std::max(longest, Clock::now() - ended);
    }
    CHECK(longest < ssh_answer_deadline);
    CHECK(longest < tcp_connect_deadline);
    // What libssh had open is closed, whoever was to close it.
    CHECK(world.until([&] { return count_open_files() <= open_files; }));
}

TEST_CASE("a session that its node does not read from ends at once when it is not wanted") {
    if (!rooted())
        return;
    World world;
    world.sshd.start();
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    const UniqueFd ours(ends[0]);
    SshSession session(world.sshd.target(), UniqueFd(ends[1]));
    REQUIRE_MESSAGE(world.until([&] { return session.connected(); }), world.sshd.log());
    world.sshd.stop_sessions();
    // Until libssh waits for room over there.
    const std::string much(1 << 16, '\n');
    pollfd room{ours.get(), POLLOUT, 0};
    while (::poll(&room, 1, 500) > 0)
        REQUIRE(::send(ours.get(), much.data(), much.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0);
    const TimePoint asked = Clock::now();
    CHECK(session.outcome().message.find("127.0.0.1") == 0);
    CHECK(Clock::now() - asked < tcp_user_timeout / 2);
}
