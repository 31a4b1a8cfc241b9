// SPDX-License-Identifier: MIT
// What is asked of a VM while a session is under way.
#include "drive_session.hpp"

using namespace longcord;
using namespace longcord::test;
using Kind = SessionAction::Kind;

namespace {

const PlugCommand plug{"usbhost3-4.1", "/dev/bus/usb/003/007", "xhci.0", 5, {}};

} // namespace

TEST_CASE(
    "what is added runs in the same session, whenever it comes, and the view shows all of it") {
    PlugCommand late = plug;
    late.id = "usbhost3-4.2";
    const std::vector<std::string> moments = {
        "qmp_capabilities", "query-status", "device_add", "qom-list", "qom-get"};
    for (const auto& moment : moments) {
        CAPTURE(moment);
        FakeVm vm;
        Session session({plug}, "t");
        bool added = false;
        const auto adds = [&](std::vector<std::string> replies) {
            const bool view_begins = moment != "qom-list" || vm.executed.back() == "qom-list";
            if (!added && vm.count(moment) > 0 && view_begins) {
                added = true;
                session.add(late);
            }
            return joined(replies);
        };
        CHECK(drive(session, vm, adds).kind == Kind::done);
        REQUIRE(added);
        REQUIRE(session.outcomes().size() == 2);
        for (const auto& outcome : session.outcomes())
            CHECK(outcome.has_value());
        REQUIRE(session.view().has_value());
        CHECK(session.view()->devices.size() == 2);
        CHECK(vm.count("device_add") == 2);
        CHECK(vm.count("qmp_capabilities") == 1);
    }
}

TEST_CASE("what is added while the view is taken is not sent to a VM that was paused meanwhile") {
    FakeVm vm;
    Session session({}, "t");
    const auto pauses = [&](std::vector<std::string> replies) {
        if (vm.status == "running") {
            vm.status = "paused";
            session.add(plug);
        }
        return joined(replies);
    };
    CHECK(drive(session, vm, pauses).kind == Kind::done);
    REQUIRE(session.outcomes().size() == 1);
    CHECK(session.outcomes()[0].error().message == "VM is paused");
    CHECK(vm.count("device_add") == 0);
    REQUIRE(session.view().has_value());
    CHECK(session.view()->state == RunState::paused);
}

TEST_CASE("what was never begun is said so, added or not") {
    Session session({}, "t");
    session.resume(BytesRead{FakeVm::greeting});
    session.add(plug);
    CHECK(session.resume(LimitReached{}).kind == Kind::done);
    REQUIRE(session.outcomes().size() == 1);
    CHECK(session.outcomes()[0].error().kind == ErrorKind::timeout);
}
