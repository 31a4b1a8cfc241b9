// SPDX-License-Identifier: MIT
// The real server on a real socket; clients are on the same loop, or in a thread where they block.
#include "control/server.hpp"

#include "base/spawn.hpp"
#include "control/client.hpp"
#include "control/protocol.hpp"

#include <filesystem>
#include <stdexcept>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <sys/stat.h>
#include <unistd.h>

using namespace longcord;
using nlohmann::json;
using Socket = asio::local::stream_protocol::socket;

namespace {

struct Folder {
    std::filesystem::path path;
    Folder() {
        std::string name = "/tmp/longcord-control-XXXXXX";
        path = mkdtemp(name.data());
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { std::filesystem::remove_all(path); }
};

Task<Result<json>> answer(std::string verb, json args, Peer peer) {
    if (verb == "secret")
        co_return fail(ErrorKind::refused, "not for user {}", peer.uid);
    if (verb == "who")
        co_return json{{"uid", peer.uid}, {"gid", peer.gid}, {"pid", peer.pid}};
    if (verb == "big")
        co_return json(std::string(4'000'000, 'x'));
    if (verb == "console" && args.value("name", "") != "1-1")
        co_return fail(ErrorKind::not_found, "no such port");
    if (verb == "console")
        co_return json{{"name", "1-1"}};
    if (verb == "events")
        co_return json{{"events", json::array({{{"seq", 1}}})}};
    co_return json{{"verb", verb}, {"args", args}};
}

struct World {
    explicit World(ControlLimits limits = {})
        : server(loop, folder.path / "run/host.sock", answer, limits) {
        spawn_guarded(loop, "control server", server.run());
    }
    Folder folder;
    asio::io_context loop;
    ControlServer server;

    std::filesystem::path socket() const { return folder.path / "run/host.sock"; }

    /// Runs the loop until the test is done; everything else it holds is left as it is.
    void run(Task<> test) {
        bool done = false;
        std::exception_ptr failed;
        auto ended = [&](std::exception_ptr error) {
            failed = error;
            done = true;
            loop.stop();
        };
        asio::co_spawn(loop, std::move(test), ended);
        loop.run_for(std::chrono::seconds(30));
        REQUIRE(done);
        if (failed)
            std::rethrow_exception(failed);
    }
};

struct Wire {
    Socket socket;
    std::string input;

    explicit Wire(World& world) : socket(world.loop) {
        socket.connect(asio::local::stream_protocol::endpoint(world.socket().string()));
    }
    Task<> send(std::string text) {
        auto buffer = asio::buffer(text);
        auto [error, length] = co_await asio::async_write(socket, buffer, as_value);
        static_cast<void>(length);
    }
    /// Empty: the server closed.
    Task<std::string> line() {
        auto buffer = asio::dynamic_buffer(input);
        auto [error, length] = co_await asio::async_read_until(socket, buffer, '\n', as_value);
        if (error)
            co_return "";
        std::string text = input.substr(0, length - 1);
        input.erase(0, length);
        co_return text;
    }
};

} // namespace

TEST_CASE("requests of one client are answered in order, also when they come at once") {
    World world;
    Wire wire(world);
    auto test = [](Wire& w) -> Task<> {
        co_await w.send("{\"verb\":\"a\"}\n{\"verb\":\"b\"}\n{\"ver");
        const std::string first = co_await w.line();
        CHECK(first == R"({"ok":true,"result":{"args":{},"verb":"a"}})");
        const std::string second = co_await w.line();
        CHECK(second.find("\"b\"") != std::string::npos);
        co_await w.send("b\":\"c\"}\n");
        const std::string third = co_await w.line();
        CHECK(third.find("\"c\"") != std::string::npos);
    };
    world.run(test(wire));
}

TEST_CASE("the handler knows who asks, from the kernel") {
    World world;
    Wire wire(world);
    auto test = [](Wire& w) -> Task<> {
        co_await w.send("{\"verb\":\"who\"}\n");
        const std::string line = co_await w.line();
        const json who = json::parse(line)["result"];
        CHECK(who["uid"] == getuid());
        CHECK(who["gid"] == getgid());
        CHECK(who["pid"] == getpid());
    };
    world.run(test(wire));
}

TEST_CASE("the socket is for its user and group only, and goes with the server") {
    Folder folder;
    const auto path = folder.path / "host.sock";
    asio::io_context loop;
    {
        ControlServer server(loop, path, answer);
        struct stat info {};
        REQUIRE(stat(path.c_str(), &info) == 0);
        CHECK((info.st_mode & 0777) == 0660);
    }
    CHECK(!std::filesystem::exists(path));
}

TEST_CASE("a second service on the same socket is refused; a dead one's socket is replaced") {
    Folder folder;
    const auto path = folder.path / "host.sock";
    asio::io_context loop;
    {
        ControlServer server(loop, path, answer);
        CHECK_THROWS_AS(ControlServer(loop, path, answer), std::runtime_error);
        CHECK(std::filesystem::exists(path));
    }
    { asio::local::stream_protocol::acceptor killed(loop, path.string()); }
    REQUIRE(std::filesystem::exists(path));
    CHECK_NOTHROW(ControlServer(loop, path, answer));
}

TEST_CASE("what is no request is answered with an error, and the client may go on") {
    World world;
    Wire wire(world);
    auto test = [](Wire& w) -> Task<> {
        co_await w.send("what?\n");
        const std::string error = co_await w.line();
        CHECK(error.find("\"invalid\"") != std::string::npos);
        co_await w.send("{\"verb\":\"a\"}\n");
        const std::string good = co_await w.line();
        CHECK(good.find("\"ok\":true") != std::string::npos);
    };
    world.run(test(wire));
}

TEST_CASE("a request of 64 KiB is read, a longer one ends the connection with a sentence") {
    World world;
    Wire fits(world);
    Wire over(world);
    auto test = [](Wire& f, Wire& o) -> Task<> {
        std::string request = "{\"verb\":\"a\",\"args\":{\"x\":\"\"}}";
        request.insert(request.size() - 3, max_control_request - request.size(), 'x');
        co_await f.send(request + "\n");
        const std::string good = co_await f.line();
        CHECK(good.find("\"ok\":true") != std::string::npos);
        co_await o.send(std::string(max_control_request + 1, 'x') + "\n");
        const std::string error = co_await o.line();
        CHECK(error.find("longer than 65536 bytes") != std::string::npos);
        const std::string end = co_await o.line();
        CHECK(end.empty());
    };
    world.run(test(fits, over));
}

TEST_CASE("the 33rd client is turned away with a sentence; one leaves, the next may come") {
    World world;
    std::vector<std::unique_ptr<Wire>> wires;
    for (int i = 0; i < 33; ++i)
        wires.push_back(std::make_unique<Wire>(world));
    auto test = [](World& w, std::vector<std::unique_ptr<Wire>>& all) -> Task<> {
        const std::string full = co_await all[32]->line();
        CHECK(full.find("32 clients") != std::string::npos);
        co_await all[31]->send("{\"verb\":\"a\"}\n");
        const std::string good = co_await all[31]->line();
        CHECK(!good.empty());
        all[0]->socket.close();
        std::string again;
        while (again.find("\"ok\":true") == std::string::npos) {
            Wire late(w);
            co_await late.send("{\"verb\":\"a\"}\n");
            again = co_await late.line();
        }
    };
    world.run(test(world, wires));
}

TEST_CASE("a client that asks nothing is closed") {
    World world(ControlLimits{.idle = milliseconds(20)});
    Wire wire(world);
    auto test = [](Wire& w) -> Task<> {
        const std::string end = co_await w.line();
        CHECK(end.empty());
    };
    world.run(test(wire));
}

TEST_CASE("a client that does not take its reply is closed") {
    World world(ControlLimits{.write = milliseconds(20)});
    Wire wire(world);
    auto test = [](Wire& w) -> Task<> {
        co_await w.send("{\"verb\":\"big\"}\n");
        co_await sleep_for(milliseconds(200)); // far beyond the limit, with nothing read
        const std::string cut = co_await w.line();
        CHECK(cut.empty());
        CHECK(w.input.size() < 4'000'000);
    };
    world.run(test(wire));
}

TEST_CASE("a subscriber gets what was, then what comes; silence is no reason to close it") {
    World world(ControlLimits{.idle = milliseconds(20)});
    Wire wire(world);
    auto test = [](World& world_, Wire& w) -> Task<> {
        co_await w.send("{\"verb\":\"subscribe\"}\n");
        const std::string reply = co_await w.line();
        CHECK(reply == R"({"ok":true,"result":{"events":[{"seq":1}]}})");
        co_await sleep_for(milliseconds(100));
        world_.server.publish({{"seq", 2}});
        world_.server.publish({{"seq", 3}});
        const std::string second = co_await w.line();
        CHECK(second == R"({"event":{"seq":2}})");
        const std::string third = co_await w.line();
        CHECK(third == R"({"event":{"seq":3}})");
    };
    world.run(test(world, wire));
}

TEST_CASE("who looks at a serial port hears what it says, no other port and no events") {
    World world;
    Wire wire(world);
    Wire other(world);
    auto test = [](World& here, Wire& w, Wire& o) -> Task<> {
        co_await w.send("{\"verb\":\"console\",\"args\":{\"name\":\"1-1\"}}\n");
        const std::string reply = co_await w.line();
        CHECK(reply == R"({"ok":true,"result":{"name":"1-1"}})");
        co_await o.send("{\"verb\":\"console\",\"args\":{\"name\":\"1-2\"}}\n");
        const std::string refused = co_await o.line();
        CHECK(refused.find("\"not found\"") != std::string::npos);
        here.server.publish({{"seq", 2}});
        here.server.publish_bytes("1-2", "not this");
        here.server.publish_bytes("1-1", std::string("\x00\xff", 2));
        const std::string bytes = co_await w.line();
        CHECK(bytes == R"({"bytes":"AP8="})");
        // Who was refused is a client as any other.
        co_await o.send("{\"verb\":\"a\"}\n");
        const std::string next = co_await o.line();
        CHECK(next.find("\"ok\":true") != std::string::npos);
    };
    world.run(test(world, wire, other));
}

TEST_CASE("who did not subscribe gets no events") {
    World world;
    Wire wire(world);
    auto test = [](World& world_, Wire& w) -> Task<> {
        co_await w.send("{\"verb\":\"events\"}\n");
        const std::string reply = co_await w.line();
        world_.server.publish({{"seq", 2}});
        co_await w.send("{\"verb\":\"a\"}\n");
        const std::string next = co_await w.line();
        CHECK(next.find("\"verb\":\"a\"") != std::string::npos);
    };
    world.run(test(world, wire));
}

/// Publishes `count` events between the subscription and the subscriber's next read.
static std::vector<std::string> read_after(std::size_t count) {
    World world;
    Wire wire(world);
    std::vector<std::string> lines;
    auto test = [](World& world_, Wire& w, std::size_t n, std::vector<std::string>& out) -> Task<> {
        co_await w.send("{\"verb\":\"subscribe\"}\n");
        const std::string reply = co_await w.line();
        for (std::size_t i = 1; i <= n; ++i) // in one turn of the loop: nothing is sent meanwhile
            world_.server.publish({{"seq", i}});
        const std::string last = R"({"event":{"seq":)" + std::to_string(n) + "}}";
        while (out.empty() || out.back() != last) {
            const std::string line = co_await w.line();
            REQUIRE(!line.empty());
            out.push_back(line);
        }
    };
    world.run(test(world, wire, count, lines));
    return lines;
}

TEST_CASE("a subscriber 1,000 events behind gets them all") {
    const auto lines = read_after(1'000);
    CHECK(lines.size() == 1'000);
    CHECK(lines.front() == R"({"event":{"seq":1}})");
}

TEST_CASE("a subscriber 1,001 events behind is told that it lost 1,000") {
    const auto lines = read_after(1'001);
    CHECK(lines == std::vector<std::string>{R"({"lagged":1000})", R"({"event":{"seq":1001}})"});
}

TEST_CASE("a subscriber that left makes room") {
    World world(ControlLimits{.clients = 1});
    auto test = [](World& w) -> Task<> {
        {
            Wire first(w);
            co_await first.send("{\"verb\":\"subscribe\"}\n");
            const std::string reply = co_await first.line();
            CHECK(!reply.empty());
        }
        std::string again;
        while (again.find("\"ok\":true") == std::string::npos) {
            Wire next(w);
            co_await next.send("{\"verb\":\"a\"}\n");
            again = co_await next.line();
        }
        w.server.publish({{"seq", 1}});
    };
    world.run(test(world));
}

TEST_CASE("the client: replies, refusals, the stream") {
    World world;
    std::thread service([&] { world.loop.run(); });
    auto client = ControlClient::connect(world.socket());
    REQUIRE(client.has_value());
    const auto reply = client->call("explain", {{"place", "3-4"}});
    REQUIRE(reply.has_value());
    CHECK((*reply)["args"]["place"] == "3-4");
    const auto refused = client->call("secret", json::object());
    REQUIRE(!refused.has_value());
    CHECK(refused.error().kind == ErrorKind::refused);
    CHECK(client->call("big", json::object())->get_ref<const std::string&>().size() == 4'000'000);
    CHECK(client->call("subscribe", json::object()).has_value());
    asio::post(world.loop, [&] { world.server.publish({{"seq", 2}}); });
    const auto event = client->next();
    REQUIRE(event.has_value());
    CHECK(event->event["seq"] == 2);
    world.loop.stop();
    service.join();
}

TEST_CASE("the client: no service, and one that does not answer") {
    Folder folder;
    CHECK(ControlClient::connect(folder.path / "none.sock").error().kind == ErrorKind::not_found);
    asio::io_context loop;
    const auto path = folder.path / "host.sock";
    { asio::local::stream_protocol::acceptor killed(loop, path.string()); }
    CHECK(ControlClient::connect(path).error().kind == ErrorKind::not_found);
    std::filesystem::remove(path);
    asio::local::stream_protocol::acceptor deaf(loop, path.string());
    auto client = ControlClient::connect(path);
    REQUIRE(client.has_value());
    CHECK(
        client->call("status", json::object(), milliseconds(20)).error().kind ==
        ErrorKind::timeout);
    Socket taken = deaf.accept();
    taken.close();
    CHECK(client->call("status", json::object()).error().kind == ErrorKind::unavailable);
}
