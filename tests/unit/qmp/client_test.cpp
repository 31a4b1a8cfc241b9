// SPDX-License-Identifier: MIT
// The client against a monitor that does what QEMU will not.
#include "fake_monitor.hpp"
#include "fake_vm.hpp"
#include "qmp/client.hpp"
#include "qmp/unix_connect.hpp"
#include "run_session.hpp"

#include <atomic>
#include <fstream>
#include <future>

#include <doctest/doctest.h>

#include <unistd.h>

using namespace longcord;
using namespace longcord::test;

namespace {

const PlugCommand plug{"usbhost3-4.1", "/dev/bus/usb/003/007", "xhci.0", 5, {}};

constexpr SessionLimits patient{};
/// For what never comes: the test waits for the limit itself.
constexpr SessionLimits short_greeting{milliseconds(50), milliseconds(1000)};
constexpr SessionLimits short_session{milliseconds(60'000), milliseconds(500)};

struct Stage {
    Folder folder;
    std::filesystem::path socket = folder.path / "qmp";

    SessionReport visit(
        const FakeMonitor::Script& script, std::vector<VmCommand> commands = {},
        SessionLimits limits = patient) {
        FakeMonitor monitor(socket, script);
        auto report = RunningSession(socket, std::move(commands), limits).finish();
        if (!report.view)
            CHECK(report.view.error().message.find(socket.native()) != std::string::npos);
        return report;
    }
};

void serve(Peer& peer, FakeVm& vm) {
    for (auto command = peer.receive(); !command.is_null(); command = peer.receive())
        peer.send(vm.reply(command));
}

} // namespace

TEST_CASE("a session from greeting to close, and who was there") {
    FakeVm vm;
    Stage stage;
    const auto report = stage.visit(
        [&](Peer& peer) {
            peer.send(FakeVm::greeting);
            serve(peer, vm); // ends with the client's close
        },
        {plug});
    REQUIRE(report.view.has_value());
    CHECK(report.view->devices.size() == 1);
    CHECK(report.outcomes[0].has_value());
    CHECK(report.pid == ::getpid());
    CHECK(report.held < patient.session);
}

TEST_CASE("what is asked meanwhile joins the session, until it is too old") {
    for (const bool young : {true, false}) {
        CAPTURE(young);
        FakeVm vm;
        Stage stage;
        FakeMonitor monitor(stage.socket, [&](Peer& peer) {
            peer.send(FakeVm::greeting);
            serve(peer, vm);
        });
        unsigned asked = 0;
        Latecomers latecomers = [&] {
            return ++asked == 1 ? std::vector<VmCommand>{plug} : std::vector<VmCommand>{};
        };
        SessionLimits limits = patient;
        limits.joining = young ? limits.session : milliseconds(0);
        const auto report =
            RunningSession(stage.socket, {}, limits, std::move(latecomers)).finish();
        REQUIRE(report.view.has_value());
        CHECK(report.outcomes.size() == (young ? 1 : 0));
        CHECK(report.view->devices.size() == (young ? 1 : 0));
        CHECK((asked > 1) == young);
    }
}

TEST_CASE("nobody greets: given up at the limit, nothing begun") {
    Stage stage;
    const auto report =
        stage.visit([](Peer& peer) { peer.wait_for_end(); }, {plug}, short_greeting);
    CHECK(report.view.error().kind == ErrorKind::timeout);
    CHECK(report.outcomes[0].error().kind == ErrorKind::timeout);
    CHECK(report.held == milliseconds(0));
}

TEST_CASE("a late greeting does not count against the session") {
    FakeVm vm;
    Stage stage;
    std::promise<void> now;
    FakeMonitor monitor(stage.socket, [&](Peer& peer) {
        now.get_future().wait();
        peer.send(FakeVm::greeting);
        serve(peer, vm);
    });
    RunningSession session(stage.socket, {}, short_session);
    session.poll();
    session.run_for(2 * short_session.session);
    CHECK_FALSE(session.done());
    now.set_value();
    const auto report = session.finish();
    CHECK(report.view.has_value());
}

TEST_CASE("half an answer, then silence: closed at 1 s regardless, the command unknown") {
    FakeVm vm;
    Stage stage;
    std::atomic<bool> closed_by_client = false;
    const auto report = stage.visit(
        [&](Peer& peer) {
            peer.send(FakeVm::greeting);
            for (auto command = peer.receive(); command["execute"] != "device_add";
                 command = peer.receive())
                peer.send(vm.reply(command));
            peer.send(R"({"return": {)");
            peer.wait_for_end();
            closed_by_client = true;
        },
        {plug, plug});
    CHECK(report.outcomes[0].error().kind == ErrorKind::unknown);
    CHECK(report.outcomes[1].error().kind == ErrorKind::timeout);
    CHECK(report.view.error().kind == ErrorKind::unknown);
    CHECK(report.held >= SessionLimits{}.session);
    CHECK(report.held < 5 * SessionLimits{}.session);
    CHECK(closed_by_client);
}

TEST_CASE("a monitor that talks without end is left at the limit as well") {
    Stage stage;
    const auto report = stage.visit(
        [](Peer& peer) {
            peer.send(FakeVm::greeting);
            std::atomic<bool> left = false;
            std::thread reader([&] {
                peer.wait_for_end();
                left = true;
            });
            while (!left)
                peer.send(R"({"event":"RTC_CHANGE","data":{"offset":1}})");
            reader.join();
        },
        {}, short_session);
    CHECK(report.view.error().kind == ErrorKind::unknown);
}

TEST_CASE("garbage, a huge value, and an end in the middle are errors that name the socket") {
    Stage stage;
    CHECK(
        stage.visit([](Peer& peer) { peer.send("SSH-2.0-OpenSSH_9.2\r\n"); }).view.error().kind ==
        ErrorKind::protocol);
    std::filesystem::remove(stage.socket);
    const auto huge = [](Peer& peer) {
        peer.send("{\"QMP\":\"" + std::string(JsonFramer::max_value, 'x'));
        peer.wait_for_end();
    };
    CHECK(stage.visit(huge).view.error().kind == ErrorKind::protocol);
    std::filesystem::remove(stage.socket);
    const auto report = stage.visit([](Peer& peer) { peer.send("{\"QMP\":"); }, {plug});
    CHECK(report.view.error().kind == ErrorKind::unavailable);
    CHECK(report.outcomes[0].error().kind == ErrorKind::unavailable);
}

TEST_CASE("a full backlog is waited out without holding up the loop") {
    FakeVm vm;
    Stage stage;
    std::promise<void> leave;
    std::promise<void> accepted;
    const auto hold = [&](Peer&) {
        accepted.set_value();
        leave.get_future().wait();
    };
    std::optional<FakeMonitor> monitor(std::in_place, stage.socket, hold);
    std::vector<UniqueFd> waiting;
    waiting.push_back(raw_client(stage.socket));
    accepted.get_future().wait(); // it takes no other one out of the backlog from here on
    for (auto client = raw_client(stage.socket); client; client = raw_client(stage.socket))
        waiting.push_back(std::move(client));
    REQUIRE(connect_unix(stage.socket).error().kind == ErrorKind::busy);
    RunningSession session(stage.socket);
    session.poll(); // returns: nothing blocks
    CHECK_FALSE(session.done());
    // The next one takes its place in one step: there is always somebody to knock at.
    const auto next_socket = stage.socket.string() + ".next";
    FakeMonitor next(next_socket, [&](Peer& peer) {
        peer.send(FakeVm::greeting);
        serve(peer, vm);
    });
    std::filesystem::rename(next_socket, stage.socket);
    waiting.clear();
    leave.set_value();
    monitor.reset();
    CHECK(session.finish().view.has_value());
}

TEST_CASE("a full backlog that stays full ends at the greeting's limit") {
    Stage stage;
    std::promise<void> leave;
    std::promise<void> accepted;
    FakeMonitor monitor(stage.socket, [&](Peer&) {
        accepted.set_value();
        leave.get_future().wait();
    });
    std::vector<UniqueFd> waiting;
    waiting.push_back(raw_client(stage.socket));
    accepted.get_future().wait();
    for (auto client = raw_client(stage.socket); client; client = raw_client(stage.socket))
        waiting.push_back(std::move(client));
    const auto report = RunningSession(stage.socket, {plug}, short_greeting).finish();
    CHECK(report.view.error().kind == ErrorKind::timeout);
    CHECK(report.outcomes[0].error().kind == ErrorKind::timeout);
    leave.set_value();
}

TEST_CASE("a socket that is not there, that nobody listens on, or that cannot be one") {
    Stage stage;
    const auto visit = [](const std::filesystem::path& path) {
        const auto report = RunningSession(path, {plug}).finish();
        CHECK(report.outcomes[0].has_error());
        CHECK(report.view.error().message.find(path.native()) != std::string::npos);
        return report.view.error().kind;
    };
    CHECK(visit(stage.socket) == ErrorKind::not_found);
    {
        FakeMonitor monitor(stage.socket, [](Peer&) {});
    }
    CHECK(visit(stage.socket) == ErrorKind::unavailable); // left behind by a crash
    CHECK(visit(stage.folder.path / std::string(120, 'x')) == ErrorKind::invalid);
}
