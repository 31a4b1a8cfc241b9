// SPDX-License-Identifier: MIT
// The client against a real QEMU. This machine's kernel may have no USB: then a usb-host never
// opens a device, but every refusal is real, and devices to look at and take out are emulated ones.
#include "qemu.hpp"
#include "qmp/client.hpp"
#include "qmp/unix_connect.hpp"
#include "run_session.hpp"

#include <algorithm>

#include <doctest/doctest.h>

#include <sys/socket.h>

using namespace longcord;
using namespace longcord::test;

namespace {

const PlugCommand plug{"usbhost9-9", "/dev/bus/usb/999/999", "longcord.0", 5, {}};

const std::vector<std::string> devices = {
    "-device", "piix3-usb-uhci,id=uhci",
    "-device", "usb-tablet,id=tablet,bus=uhci.0,port=1",
    "-device", "usb-kbd,id=usbhost3-4.1,bus=longcord.0,port=3", // one of ours, as far as ids go
    "-device", "usb-hub,id=hub,bus=longcord.0,port=8",
    "-device", "usb-mouse,bus=longcord.0,port=8.1",
};

/// A machine that builds and tests at once may be slow; how short a visit is, is measured
/// elsewhere.
constexpr SessionLimits patient{seconds(130), seconds(30)};

SessionReport visit(const Qemu& qemu, std::vector<VmCommand> commands = {}) {
    return RunningSession(qemu.socket(), std::move(commands), patient).finish();
}

std::vector<std::string> with(std::vector<std::string> options, std::vector<std::string> more) {
    options.insert(options.end(), more.begin(), more.end());
    return options;
}

/// A client that has been greeted.
UniqueFd holder(const Qemu& qemu) {
    auto client = raw_client(qemu.socket());
    char byte = 0;
    REQUIRE(client);
    REQUIRE(::recv(client.get(), &byte, 1, 0) == 1);
    return client;
}

} // namespace

TEST_CASE("QEMU: a view before and after the firmware has run, pretty or not") {
    for (const auto& options :
         {std::vector<std::string>{"-S"}, {}, {"-mon", "chardev=qmp,mode=control,pretty=on"}}) {
        const Qemu qemu(with(devices, options));
        const auto report = visit(qemu);
        REQUIRE(report.view.has_value());
        const bool stopped = !options.empty() && options[0] == "-S";
        CHECK(report.view->state == (stopped ? RunState::prelaunch : RunState::running));
        CHECK(
            report.view->controllers ==
            std::vector<GuestController>{{"longcord", "qemu-xhci", "longcord.0", 15}});
        auto seen = report.view->devices;
        std::sort(seen.begin(), seen.end(), [](const auto& a, const auto& b) {
            return std::pair(a.bus, a.port) < std::pair(b.bus, b.port);
        });
        CHECK(
            seen == std::vector<GuestDevice>{
                        {"usbhost3-4.1", "usb-kbd", "longcord.0", "3", false, "", ""},
                        {"hub", "usb-hub", "longcord.0", "8", false, "", ""},
                        {"", "usb-mouse", "longcord.0", "8.1", false, "", ""},
                        {"tablet", "usb-tablet", "uhci.0", "1", false, "", ""}});
        CHECK(report.pid == qemu.pid());
        MESSAGE("held for " << report.held.count() << " ms");
    }
}

TEST_CASE("QEMU: every refusal is an error with the id and QEMU's text") {
    const Qemu qemu(devices);
    const auto changed = [](auto change) {
        PlugCommand command = plug;
        change(command);
        return VmCommand{command};
    };
    const auto report = visit(
        qemu, {plug, changed([](auto& p) { p.id = "usbhost3-4.1"; }),
               changed([](auto& p) { p.port = 3; }), changed([](auto& p) { p.port = 16; }),
               changed([](auto& p) { p.bus = "nope.0"; }), changed([](auto& p) {
                   p.properties = {{"nonsense", true}};
               }),
               changed([](auto& p) {
                   p.properties = {{"isobufs", std::int64_t{16}}, {"guest-reset", false}};
               }),
               changed([](auto& p) { p.hostdevice = "/dev/null/../bus/usb/../null"; })});
    using Expected = std::pair<ErrorKind, std::string>;
    const std::vector<Expected> expected = {
        {ErrorKind::not_found, "failed to open /dev/bus/usb/999/999: No such file or directory"},
        {ErrorKind::busy, "Duplicate device ID 'usbhost3-4.1'"},
        {ErrorKind::busy, "usb port 3 (bus longcord.0) not found (in use?)"},
        {ErrorKind::busy, "usb port 16 (bus longcord.0) not found (in use?)"},
        {ErrorKind::not_found, "Bus 'nope.0' not found"},
        {ErrorKind::invalid, "Property 'usb-host.nonsense' not found"},
        {ErrorKind::not_found, "No such file or directory"},
        {ErrorKind::system, "Not a directory"}};
    REQUIRE(report.outcomes.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        REQUIRE(report.outcomes[i].has_error());
        const auto& error = report.outcomes[i].error();
        CAPTURE(error.message);
        CHECK(error.kind == expected[i].first);
        CHECK(error.message.find(expected[i].second) != std::string::npos);
        CHECK(error.message.find(i == 1 ? "usbhost3-4.1" : "usbhost9-9") != std::string::npos);
    }
    REQUIRE(report.view.has_value());
    CHECK(report.view->devices.size() == 4);
}

TEST_CASE("QEMU: what was taken out is gone in the same session's view, once and for all") {
    const Qemu qemu(devices);
    const std::vector<VmCommand> commands = {
        UnplugCommand{"usbhost3-4.1"}, UnplugCommand{"usbhost3-4.1"}, UnplugCommand{"tablet"}};
    const auto report = visit(qemu, commands);
    CHECK(report.outcomes[0].has_value());
    CHECK(report.outcomes[1].has_value());
    CHECK(report.outcomes[2].error().kind == ErrorKind::invalid);
    REQUIRE(report.view.has_value());
    const auto& left = report.view->devices;
    CHECK(left.size() == 3);
    CHECK(std::none_of(left.begin(), left.end(), [](const auto& d) { return d.port == "3"; }));
    MESSAGE("held for " << report.held.count() << " ms");
}

TEST_CASE("QEMU: a VM that was not started is left alone") {
    const Qemu qemu(with(devices, {"-S"}));
    const auto report = visit(qemu, {plug, UnplugCommand{"usbhost3-4.1"}});
    for (const auto& outcome : report.outcomes) {
        REQUIRE(outcome.has_error());
        CHECK(outcome.error().kind == ErrorKind::unavailable);
        CHECK(outcome.error().message.ends_with("VM is prelaunch"));
    }
    REQUIRE(report.view.has_value());
    CHECK(report.view->devices.size() == 4);
}

TEST_CASE("QEMU: while another client holds the socket we wait, connected, and then come next") {
    const Qemu qemu;
    auto first = holder(qemu);
    RunningSession session(qemu.socket(), {}, patient);
    session.poll();
    CHECK_FALSE(session.done());
    first.reset();
    const auto report = session.finish();
    CHECK(report.view.has_value());
}

TEST_CASE("QEMU: with its backlog full we try again, without blocking, until there is room") {
    const Qemu qemu;
    auto first = holder(qemu);
    std::vector<UniqueFd> waiting;
    for (auto client = raw_client(qemu.socket()); client; client = raw_client(qemu.socket()))
        waiting.push_back(std::move(client));
    RunningSession session(qemu.socket(), {}, patient);
    session.poll();
    CHECK_FALSE(session.done());
    waiting.clear();
    first.reset();
    CHECK(session.finish().view.has_value());
}

TEST_CASE("QEMU: a hundred visits in a row leave it as it was") {
    const Qemu qemu(devices);
    for (int i = 0; i < 100; ++i) {
        const auto report = visit(qemu);
        REQUIRE(report.view.has_value());
        REQUIRE(report.view->devices.size() == 4);
    }
}
