// SPDX-License-Identifier: MIT
#include "drive_session.hpp"

#include <algorithm>
#include <random>

#include <doctest/doctest.h>

using namespace longcord;
using test::commands_in;
using test::drive;
using test::FakeVm;
using test::joined;
using Kind = SessionAction::Kind;

namespace {

const PlugCommand plug{"usbhost3-4.1", "/dev/bus/usb/003/007", "xhci.0", 5, {}};
const UnplugCommand unplug{"usbhost3-4.1"};

ErrorKind kind(const Result<>& outcome) {
    REQUIRE(outcome.has_error());
    return outcome.error().kind;
}

} // namespace

TEST_CASE("nothing is said before the greeting, and then everything that can be asked at once") {
    Session session({}, "t");
    CHECK(session.resume(Connected{}) == SessionAction{Kind::read, {}});
    CHECK_FALSE(session.greeted());
    const auto action = session.resume(BytesRead{FakeVm::greeting});
    CHECK(session.greeted());
    CHECK(action.kind == Kind::write);
    CHECK(
        action.bytes ==
        R"({"execute":"qmp_capabilities","id":"t.caps"})"
        R"({"execute":"query-status","id":"t.0"})"
        R"({"arguments":{"path":"/machine/peripheral"},"execute":"qom-list","id":"t.1"})"
        R"({"arguments":{"path":"/machine/peripheral-anon"},"execute":"qom-list","id":"t.2"})");
}

TEST_CASE("a session without commands changes nothing and ends with the view") {
    FakeVm vm;
    vm.devices["usbhost3-4.1"] = {"usb-host", "5", true, "/dev/bus/usb/003/007", ""};
    Session session({}, "t");
    CHECK(drive(session, vm).kind == Kind::done);
    REQUIRE(session.view().has_value());
    CHECK(session.view()->devices.size() == 1);
    CHECK(session.view()->controllers.size() == 1);
    CHECK(vm.count("device_add") + vm.count("device_del") == 0);
    CHECK(vm.count("qmp_capabilities") == 1);
}

TEST_CASE("plugged means attached, and the view shows it") {
    FakeVm vm;
    Session session({plug}, "t");
    CHECK(drive(session, vm).kind == Kind::done);
    REQUIRE(session.outcomes().size() == 1);
    CHECK(session.outcomes()[0].has_value());
    REQUIRE(session.view().has_value());
    CHECK(
        session.view()->devices ==
        std::vector<GuestDevice>{
            {"usbhost3-4.1", "usb-host", "xhci.0", "5", true, "/dev/bus/usb/003/007", ""}});
}

TEST_CASE("commands run in order, one after the other, with one view at the end") {
    FakeVm vm;
    vm.devices["usbhost3-4.1"] = {"usb-host", "5", true, "/dev/bus/usb/003/006", ""};
    Session session({unplug, plug}, "t");
    CHECK(drive(session, vm).kind == Kind::done);
    for (const auto& outcome : session.outcomes())
        CHECK(outcome.has_value());
    CHECK(session.view()->devices[0].hostdevice == "/dev/bus/usb/003/007");
    CHECK(vm.executed[0] == "qmp_capabilities");
    CHECK(vm.executed[1] == "query-status");
    CHECK(vm.executed[2] == "device_del");
    CHECK(vm.executed[4] == "device_add");
}

TEST_CASE("a VM that does not run gets no command, but is seen") {
    for (const char* status : {"paused", "prelaunch", "inmigrate", "shutdown", "io-error"}) {
        FakeVm vm;
        vm.status = status;
        Session session({plug, unplug}, "t");
        CHECK(drive(session, vm).kind == Kind::done);
        REQUIRE(session.outcomes().size() == 2);
        CHECK(kind(session.outcomes()[0]) == ErrorKind::unavailable);
        CHECK(kind(session.outcomes()[1]) == ErrorKind::unavailable);
        CHECK(session.view().has_value());
        CHECK(vm.count("device_add") + vm.count("device_del") == 0);
        if (std::string_view(status) == "paused")
            CHECK(session.outcomes()[0].error().message == "VM is paused");
    }
}

TEST_CASE("a device that is not attached is taken out again, and reported") {
    FakeVm vm;
    vm.attaches = false;
    Session session({plug}, "t");
    CHECK(drive(session, vm).kind == Kind::done);
    CHECK(kind(session.outcomes()[0]) == ErrorKind::unavailable);
    CHECK(session.outcomes()[0].error().message.find("journalctl -t QEMU") != std::string::npos);
    CHECK(vm.count("device_del") == 1);
    CHECK(session.view()->devices.empty());
}

TEST_CASE("QEMU's refusals come back with the id and QEMU's text, and the rest goes on") {
    FakeVm vm;
    vm.devices["usbhost3-4.1"] = {"usb-host", "5", true, "/dev/bus/usb/003/007", ""};
    PlugCommand other = plug;
    other.id = "usbhost-workbench-1-1.2";
    Session session({plug, other}, "t");
    CHECK(drive(session, vm).kind == Kind::done);
    CHECK(kind(session.outcomes()[0]) == ErrorKind::busy);
    const auto& message = session.outcomes()[0].error().message;
    CHECK(message.find("plug usbhost3-4.1: ") != std::string::npos);
    CHECK(message.find("Duplicate device ID 'usbhost3-4.1'") != std::string::npos);
    CHECK(session.outcomes()[1].has_value());
    CHECK(vm.count("device_del") == 0);
}

TEST_CASE("taking out what is not there is no error; taking out what is not ours is never tried") {
    FakeVm vm;
    vm.devices["usb0"] = {"usb-host", "1", true, "", "3-1"};
    Session session({unplug, UnplugCommand{"usb0"}}, "t");
    CHECK(drive(session, vm).kind == Kind::done);
    CHECK(session.outcomes()[0].has_value());
    CHECK(kind(session.outcomes()[1]) == ErrorKind::invalid);
    CHECK(vm.devices.contains("usb0"));
    CHECK(vm.count("device_del") == 1);
}

TEST_CASE("an unplug that QEMU refuses is an error") {
    FakeVm vm;
    vm.devices["usbhost3-4.1"] = {};
    vm.refuses_del = "device_del not allowed while migrating";
    Session session({unplug}, "t");
    CHECK(drive(session, vm).kind == Kind::done);
    CHECK(kind(session.outcomes()[0]) == ErrorKind::unavailable);
}

TEST_CASE("a device that leaves later is waited for") {
    for (const char* refusal : {"", "Device usbhost3-4.1 is already in the process of unplug"}) {
        FakeVm vm;
        vm.devices["usbhost3-4.1"] = {"usb-host", "5", true, "/dev/bus/usb/003/007", ""};
        vm.keeps_until_event = true;
        vm.refuses_del = refusal;
        Session session({unplug}, "t");
        CHECK(drive(session, vm).kind == Kind::read);
        CHECK(session.resume(BytesRead{FakeVm::deleted("usbhost3-4")}).kind == Kind::read);
        // An event alone proves nothing: the device is still there.
        auto action = session.resume(BytesRead{FakeVm::deleted("usbhost3-4.1")});
        REQUIRE(action.kind == Kind::write);
        CHECK(session.resume(BytesRead{vm.reply(commands_in(action.bytes)[0])}).kind == Kind::read);
        action = session.resume(BytesRead{vm.finish_unplug("usbhost3-4.1")});
        while (action.kind == Kind::write) {
            std::string replies;
            for (const auto& command : commands_in(action.bytes))
                replies += vm.reply(command);
            action = session.resume(BytesRead{replies});
        }
        CHECK(action.kind == Kind::done);
        CHECK(session.outcomes()[0].has_value());
        CHECK(session.view()->devices.empty());
    }
}

TEST_CASE("replies are matched by id, not by order, and events may come between") {
    FakeVm vm;
    vm.devices["usbhost3-4.1"] = {"usb-host", "5", true, "/dev/bus/usb/003/006", ""};
    const auto backwards = [](std::vector<std::string> replies) {
        std::reverse(replies.begin(), replies.end());
        std::string all = R"({"event":"RTC_CHANGE","data":{"offset":1}})";
        for (const auto& reply : replies)
            all += reply + R"({"event":"STOP"})";
        return all;
    };
    Session session({unplug, plug}, "t");
    CHECK(drive(session, vm, backwards).kind == Kind::done);
    CHECK(session.outcomes()[0].has_value());
    CHECK(session.outcomes()[1].has_value());
    REQUIRE(session.view().has_value());
    CHECK(session.view()->devices[0].port == "5");
    CHECK(session.view()->controllers[0].ports == 15);
}

TEST_CASE("answers to others, and second answers, are not taken for ours") {
    FakeVm vm;
    const auto noisy = [](std::vector<std::string> replies) {
        std::string all = R"({"return":{},"id":"5823:1"}{"return":{"status":"running"},"id":0})"
                          R"({"return":[],"id":"t.999"}{"return":[],"id":"tt.0"}{"return":{}})"
                          R"({"return":[],"id":"t."}{"return":[],"id":"t.-1"})"
                          R"({"error":{"class":"GenericError","desc":"not yours"}})";
        for (const auto& reply : replies)
            all += reply + reply;
        return all + FakeVm::greeting;
    };
    Session session({plug}, "t");
    CHECK(drive(session, vm, noisy).kind == Kind::done);
    CHECK(session.outcomes()[0].has_value());
    CHECK(vm.count("device_add") == 1);
    CHECK(vm.count("query-status") == 2);
}

TEST_CASE("at the limit one outcome is unknown, those done stay, the others were not begun") {
    PlugCommand second = plug;
    second.id = "usbhost3-4.2";
    PlugCommand third = plug;
    third.id = "usbhost3-4.3";
    FakeVm vm;
    const auto hangs = [&](std::vector<std::string> replies) {
        return vm.devices.contains("usbhost3-4.2") ? std::string{} : joined(replies);
    };
    Session session({plug, second, third}, "t");
    CHECK(drive(session, vm, hangs).kind == Kind::read);
    CHECK(session.resume(LimitReached{}).kind == Kind::done);
    REQUIRE(session.outcomes().size() == 3);
    CHECK(session.outcomes()[0].has_value());
    CHECK(kind(session.outcomes()[1]) == ErrorKind::unknown);
    CHECK(kind(session.outcomes()[2]) == ErrorKind::timeout);
    CHECK(session.view().error().kind == ErrorKind::unknown);
    CHECK_FALSE(vm.devices.contains("usbhost3-4.3"));
}

TEST_CASE("without a greeting nothing was begun") {
    Session session({plug}, "t");
    session.resume(Connected{});
    CHECK(session.resume(LimitReached{}).kind == Kind::done);
    CHECK(kind(session.outcomes()[0]) == ErrorKind::timeout);
    CHECK(session.view().error().kind == ErrorKind::timeout);
    CHECK_FALSE(session.greeted());
}

TEST_CASE("a connection that ends leaves the command in flight unknown") {
    FakeVm vm;
    const auto dies = [&](std::vector<std::string> replies) {
        return vm.devices.empty() ? joined(replies) : std::string{};
    };
    PlugCommand second = plug;
    second.id = "usbhost3-4.2";
    Session session({plug, second}, "t");
    drive(session, vm, dies);
    const Error gone{ErrorKind::unavailable, "QEMU has ended"};
    CHECK(session.resume(Closed{gone}).kind == Kind::done);
    CHECK(kind(session.outcomes()[0]) == ErrorKind::unknown);
    CHECK(kind(session.outcomes()[1]) == ErrorKind::unavailable);
    CHECK(session.view().error() == gone);
    // Done stays done.
    CHECK(session.resume(BytesRead{"rubbish"}).kind == Kind::done);
    CHECK(session.resume(LimitReached{}).kind == Kind::done);
    CHECK(session.view().error() == gone);
}

TEST_CASE("a refused qmp_capabilities ends it clearly") {
    Session session({plug}, "t");
    auto action = session.resume(BytesRead{FakeVm::greeting});
    std::string replies;
    for (const auto& command : commands_in(action.bytes))
        replies +=
            nlohmann::json{
                {"error", {{"class", "CommandNotFound"}, {"desc", "negotiate"}}},
                {"id", command["id"]}}
                .dump();
    CHECK(session.resume(BytesRead{replies}).kind == Kind::done);
    CHECK(session.outcomes()[0].has_error());
    CHECK(session.view().has_error());
}

TEST_CASE("garbage ends the session as an error of protocol") {
    for (const char* garbage : {"HTTP/1.1 400\r\n", "{\"return\": \xff}", "{}", "[1]", "}"}) {
        Session session({plug}, "t");
        CHECK(session.resume(BytesRead{garbage}).kind == Kind::done);
        CHECK(session.view().error().kind == ErrorKind::protocol);
        CHECK(session.outcomes()[0].has_error());
    }
}

TEST_CASE("no stream of bytes makes it throw, and the limit always ends it") {
    constexpr unsigned seed = 20251120;
    constexpr int runs = 3000;
    std::mt19937 random(seed);
    const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random()) % n; };
    const std::string pieces = "{}[]\",:\\0aet\n\xff";
    for (int run = 0; run < runs; ++run) {
        FakeVm vm;
        vm.devices["usbhost3-4.1"] = {"usb-host", "5", true, "/dev/bus/usb/003/007", ""};
        vm.attaches = below(2) == 0;
        const auto mutated = [&](std::vector<std::string> replies) {
            std::shuffle(replies.begin(), replies.end(), random);
            std::string all = joined(replies);
            for (std::size_t n = below(4); n > 0 && !all.empty(); --n) {
                const auto at = below(all.size());
                switch (below(3)) {
                case 0:
                    all[at] = pieces[below(pieces.size())];
                    break;
                case 1:
                    all.erase(at, below(20));
                    break;
                default:
                    all.insert(at, all.substr(below(all.size()), below(60)));
                }
            }
            return all;
        };
        Session session({unplug, plug}, "t");
        REQUIRE_NOTHROW(drive(session, vm, mutated));
        REQUIRE(session.resume(LimitReached{}).kind == Kind::done);
        REQUIRE(session.outcomes().size() == 2);
    }
}
