// SPDX-License-Identifier: MIT
// What goes wrong, and how long it is left alone.
#include "plan/backoff.hpp"
#include "town.hpp"

using namespace longcord;
using namespace longcord::test;
using Ids = std::vector<std::string>;

TEST_CASE("back-off: 0.5 s, doubled, 30 s at most, and a success starts over") {
    Backoff backoff;
    TimePoint now{};
    CHECK(backoff.may_try(now));
    for (const int expected : {500, 1000, 2000, 4000, 8000, 16000, 30000, 30000}) {
        backoff.failed(now);
        CHECK(backoff.retry_at() - now == milliseconds(expected));
        CHECK_FALSE(backoff.may_try(backoff.retry_at() - milliseconds(1)));
        CHECK(backoff.may_try(backoff.retry_at()));
    }
    backoff.succeeded();
    CHECK(backoff.may_try(now));
}

TEST_CASE("flap guard: six times in 30 s is normal, the seventh is held off, longer each time") {
    FlapGuard guard(6);
    TimePoint now{std::chrono::hours(1)};
    for (int i = 0; i < 6; ++i)
        guard.happened(now);
    CHECK_FALSE(guard.held_until(now));
    guard.happened(now + seconds(30));
    CHECK(guard.held_until(now + seconds(30)) == now + seconds(60));
    CHECK_FALSE(guard.held_until(now + seconds(60)));
    now += seconds(60);
    for (int i = 0; i < 7; ++i)
        guard.happened(now);
    CHECK(guard.held_until(now) == now + seconds(60));
    SUBCASE("a quiet spell forgives") {
        now += seconds(60 + 120);
        for (int i = 0; i < 7; ++i)
            guard.happened(now);
        CHECK(guard.held_until(now) == now + seconds(30));
    }
    SUBCASE("a person can release it") {
        guard.release();
        CHECK_FALSE(guard.held_until(now));
    }
}

TEST_CASE("times older than the window do not count") {
    FlapGuard guard(1);
    const TimePoint now{std::chrono::hours(1)};
    guard.happened(now);
    guard.happened(now + seconds(30) + milliseconds(1));
    CHECK_FALSE(guard.held_until(now + seconds(31)));
}

TEST_CASE("device_del typed by somebody is plugged again once, and repeated it is held off") {
    Town town;
    town.local("3-1").vm(100).rules(100, "3-1");
    town.settle();
    town.somebody_removes(100, "usbhost3-1");
    town.settle();
    CHECK(town.inside(100) == Ids{"usbhost3-1"});
    town.now += seconds(5);
    town.somebody_removes(100, "usbhost3-1");
    town.settle();
    CHECK(town.inside(100).empty());
    CHECK(town.outcome("3-1").state == DeviceState::held_off);
    REQUIRE(town.plan().wake);
    town.now = *town.plan().wake;
    town.settle();
    CHECK(town.inside(100) == Ids{"usbhost3-1"});
}

TEST_CASE("a failed plug is tried again with growing delay, and the reason is shown") {
    Town town;
    town.local("3-1").vm(100).rules(100, "3-1");
    town.refuse = [](const Action& action) -> Result<> {
        if (std::holds_alternative<PlugDevice>(action))
            return fail(ErrorKind::system, "VM 100: QEMU could not open it");
        return {};
    };
    town.settle();
    CHECK(town.outcome("3-1").state == DeviceState::waiting);
    CHECK(town.outcome("3-1").why == "VM 100: QEMU could not open it");
    CHECK(town.plan().wake == town.now + milliseconds(500));
    town.now += milliseconds(500);
    CHECK(town.planned().size() == 1);
    SUBCASE("a replug starts over") {
        town.settle();
        town.refuse = nullptr;
        town.replug_device("3-1");
        town.settle();
        CHECK(town.inside(100) == Ids{"usbhost3-1"});
    }
}

TEST_CASE("one device that fails delays no other") {
    Town town;
    town.pi("workbench").device("workbench/1-1").device("workbench/1-2").vm(100);
    town.rules(100, "workbench");
    town.refuse = [](const Action& action) -> Result<> {
        const auto* import = std::get_if<ImportDevice>(&action);
        if (import && import->place.busid() == "1-1")
            return fail(ErrorKind::busy, "somebody else has it");
        return {};
    };
    town.settle();
    CHECK(town.inside(100) == Ids{"usbhost-workbench-1-2"});
}

TEST_CASE("an import that does not enumerate in 3 s is detached") {
    Town town;
    town.pi("workbench").device("workbench/1-1").vm(100).rules(100, "workbench");
    Import import;
    import.place = Place::parse("workbench/1-1").value();
    import.devid = devid_of(*town.world.announced_at(import.place));
    import.since = town.now;
    town.apply(LookAtVm{100});
    import_found(town.world, 7, import);
    CHECK(town.plan().wake == town.now + milliseconds(3000));
    town.now += milliseconds(3000);
    CHECK(
        town.planned() == std::vector<std::string>{"detach workbench/1-1 from vhci port 7: the "
                                                   "kernel did not enumerate it in 3 s"});
}

TEST_CASE("while an action is under way at a place, nothing else is started there") {
    Town town;
    town.local("3-1").vm(100).rules(100, "3-1");
    town.apply(LookAtVm{100});
    const auto actions = town.plan().actions;
    REQUIRE(actions.size() == 1);
    action_started(town.world, actions.front());
    CHECK(town.planned().empty());
    town.rules(100, "!3-1");
    CHECK(town.planned().empty());
}

TEST_CASE("an outcome that is not known is read back before anything else is done") {
    Town town;
    town.local("3-1").vm(100).rules(100, "3-1");
    town.apply(LookAtVm{100});
    const Action plug = town.plan().actions.at(0);
    action_started(town.world, plug);
    vm_not_viewed(town.world, 100, town.now);
    action_ended(town.world, plug, fail(ErrorKind::unknown, "no reply"), town.now);
    CHECK(town.planned().empty());
    town.now += seconds(1);
    CHECK(town.planned() == std::vector<std::string>{"look at VM 100"});
}

TEST_CASE("all vhci ports taken is said, with the numbers, and nothing is tried in vain") {
    Town town;
    town.pi("workbench").vm(100).rules(100, "workbench");
    for (int i = 1; i <= 9; ++i)
        town.device("workbench/1-" + std::to_string(i));
    town.settle();
    CHECK(town.inside(100).size() == 8);
    CHECK(
        town.outcome("workbench/1-9").why ==
        "all 8 vhci ports of its speed are taken by workbench/1-1, workbench/1-2, workbench/1-3, "
        "workbench/1-4, workbench/1-5, workbench/1-6, workbench/1-7, workbench/1-8: it is fetched "
        "when one is free");
    town.unplug_device("workbench/1-3");
    town.settle();
    CHECK(town.outcome("workbench/1-9").state == DeviceState::plugged);
}

TEST_CASE("an import found at start that is still being enumerated is waited for, and no longer "
          "than 3 s") {
    Town town;
    town.pi("workbench").device("workbench/1-1").vm(100).rules(100, "workbench");
    town.apply(LookAtVm{100});
    Import import;
    import.place = Place::parse("workbench/1-1").value();
    import.since = town.now;
    pi_unlinked(town.world, "workbench", true);
    town.world.pis.clear(); // after a restart nobody has spoken yet
    import_found(town.world, 7, import);
    CHECK(town.planned().empty());
    CHECK(town.plan().wake == town.now + milliseconds(3000));
    town.now += milliseconds(3000);
    CHECK(town.planned().size() == 1);
}

TEST_CASE(
    "a device that is gone while vhci still has its port is detached, and that is no failure") {
    Town town;
    town.pi("workbench").device("workbench/1-1").vm(100).rules(100, "workbench");
    town.settle();
    town.now += seconds(60);
    device_gone(town.world, town.world.imports.begin()->second.local->sysfs_path);
    town.done.clear();
    town.settle();
    REQUIRE(town.done.size() > 2);
    // Nothing can stall that the kernel has disconnected: the guest does not wait for vhci.
    CHECK(town.done[0] == "unplug workbench/1-1 from VM 100");
    CHECK(town.done[1] == "detach workbench/1-1 from vhci port 0: its stream has ended");
    CHECK(town.inside(100) == Ids{"usbhost-workbench-1-1"});
}

TEST_CASE("that another device has gone from there, before, is no news of the one that is there") {
    Town town;
    town.pi("workbench").device("workbench/1-1").vm(100).rules(100, "workbench");
    town.settle();
    const LocalDevice here = *town.world.imports.begin()->second.local;
    device_gone(town.world, here.sysfs_path, here.device.devnum + 1);
    CHECK(town.planned().empty());
    device_gone(town.world, here.sysfs_path, here.device.devnum);
    CHECK_FALSE(town.planned().empty());
}

TEST_CASE("a device that is gone is detached too where its VM takes no command") {
    Town town;
    town.pi("workbench").device("workbench/1-1").vm(100).rules(100, "workbench");
    town.settle();
    town.qemu(100, RunState::paused);
    town.apply(LookAtVm{100});
    device_gone(town.world, town.world.imports.begin()->second.local->sysfs_path);
    CHECK(
        town.planned() ==
        std::vector<std::string>{"detach workbench/1-1 from vhci port 0: its stream has ended"});
}

TEST_CASE("places that a Pi names and leaves do not add up") {
    Town town;
    town.pi("workbench");
    for (unsigned i = 1; i < 10'000; ++i) {
        town.now += seconds(1);
        town.device("workbench/1-" + std::to_string(i));
        town.unplug_device("workbench/1-" + std::to_string(i));
    }
    CHECK(town.world.history.size() <= 4096);
}
