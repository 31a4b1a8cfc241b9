// SPDX-License-Identifier: MIT
// The life of a device, as the planner sees it.
#include "town.hpp"

using namespace longcord;
using namespace longcord::test;
using Ids = std::vector<std::string>;

TEST_CASE("a Pi's device that a running VM wants is imported, authorised, plugged") {
    Town town;
    town.pi("workbench").device("workbench/1-1.2").vm(100).rules(100, "workbench/1-1.2");
    town.settle();
    CHECK(
        town.done == std::vector<std::string>{
                         "look at VM 100",
                         "import workbench/1-1.2 from 192.0.2.7:3240 to vhci port 0",
                         "authorise workbench/1-1.2 (5-1)",
                         "plug workbench/1-1.2 into VM 100 (xhci.0 port 15)",
                     });
    CHECK(town.inside(100) == Ids{"usbhost-workbench-1-1.2"});
    CHECK(town.outcome("workbench/1-1.2").state == DeviceState::plugged);
    CHECK(town.outcome("workbench/1-1.2").guest_port == 15u);
}

TEST_CASE("a local device is plugged as it is, a hub never") {
    Town town;
    town.hub("3-4").local("3-4.1").vm(100).rules(100, "3-4");
    town.settle();
    CHECK(town.inside(100) == Ids{"usbhost3-4.1"});
    CHECK(town.outcome("3-4").state == DeviceState::hub);
}

TEST_CASE("a hub where a device was: what is left of that is taken out") {
    Town town;
    town.pi("workbench").device("workbench/1-1").local("3-1").vm(100).rules(100, "workbench\n3-1");
    town.settle();
    REQUIRE(town.inside(100).size() == 2);
    Device hub = *town.world.announced_at(Place::parse("workbench/1-1").value());
    hub.device_class.code = class_hub;
    ++hub.devnum;
    pi_added(town.world, hub, town.now); // and nobody said that the other one was gone
    town.hub("3-1");
    town.settle();
    CHECK(town.inside(100).empty());
    CHECK(town.imported().empty());
    CHECK(town.outcome("3-1").state == DeviceState::hub);
    CHECK(town.outcome("workbench/1-1").state == DeviceState::hub);
}

TEST_CASE("rule 3-4 leaves 3-40 alone") {
    Town town;
    town.local("3-40").vm(100).rules(100, "3-4");
    town.settle();
    CHECK(town.inside(100).empty());
    CHECK(town.outcome("3-40").why == "no rule wants it");
}

TEST_CASE("an empty plan where the World satisfies the rules") {
    Town town;
    town.pi("workbench").device("workbench/1-1").local("3-1").vm(100).vm(101);
    town.rules(100, "workbench").rules(101, "3-1");
    town.settle();
    CHECK(town.planned().empty());
    CHECK_FALSE(town.plan().wake);
}

TEST_CASE("nothing is done before rules, VMs and devices were read once") {
    for (const int missing : {0, 1, 2}) {
        Town town;
        town.pi("workbench").device("workbench/1-1").vm(100).rules(100, "workbench");
        town.settle();
        town.rules(100, ""); // everything would have to come out
        (missing == 0   ? town.world.knows_rules
         : missing == 1 ? town.world.knows_vms
                        : town.world.knows_devices) = false;
        CHECK(town.planned().empty());
    }
}

TEST_CASE("a device pulled from the Pi is detached from vhci first, and QEMU is told after") {
    Town town;
    town.pi("workbench").device("workbench/1-1").vm(100).rules(100, "workbench");
    town.settle();
    town.done.clear();
    town.unplug_device("workbench/1-1");
    town.settle();
    CHECK(
        town.done == std::vector<std::string>{
                         "detach workbench/1-1 from vhci port 0: the Pi no longer has that device",
                         "unplug workbench/1-1 from VM 100",
                     });
    CHECK(town.inside(100).empty());
}

TEST_CASE("a planned removal is the other way round: unplug, then detach") {
    Town town;
    town.pi("workbench").device("workbench/1-1").vm(100).rules(100, "workbench");
    town.settle();
    town.done.clear();
    town.rules(100, "!workbench/1-1");
    town.settle();
    CHECK(
        town.done == std::vector<std::string>{
                         "unplug workbench/1-1 from VM 100",
                         "detach workbench/1-1 from vhci port 0: no rule wants it",
                     });
}

TEST_CASE("while its Pi is silent, a device is not unplugged before vhci let go of it") {
    Town town;
    town.pi("workbench").device("workbench/1-1").vm(100).rules(100, "workbench");
    town.settle();
    pi_unlinked(town.world, "workbench", true);
    CHECK(town.planned().empty()); // the stream is the kernel's: it may well be alive
    town.done.clear();
    town.rules(100, "3-1");
    town.settle();
    REQUIRE(town.done.size() == 2);
    CHECK(town.done[0].starts_with("detach workbench/1-1"));
    CHECK(town.done[1].starts_with("unplug workbench/1-1"));
}

TEST_CASE("a stream that the kernel gave up leaves an unplug, and comes back with the Pi") {
    Town town;
    town.pi("workbench").device("workbench/1-1").vm(100).rules(100, "workbench");
    town.settle();
    pi_unlinked(town.world, "workbench", true);
    town.stream_dies("workbench/1-1");
    town.settle();
    CHECK(town.inside(100).empty());
    CHECK(town.outcome("workbench/1-1").why == "its Pi is not linked now");
    town.pi("workbench").device("workbench/1-1");
    town.settle();
    CHECK(town.inside(100) == Ids{"usbhost-workbench-1-1"});
}

TEST_CASE(
    "a device that was replugged is another one: the old import goes, the new one is plugged") {
    Town town;
    town.pi("workbench").device("workbench/1-1").vm(100).rules(100, "workbench");
    town.settle();
    town.replug_device("workbench/1-1");
    town.settle();
    CHECK(town.inside(100) == Ids{"usbhost-workbench-1-1"});
    CHECK(
        town.world.imports.begin()->second.devid ==
        devid_of(*town.world.announced_at(town.world.imports.begin()->second.place)));

    Town here;
    here.local("3-1").vm(100).rules(100, "3-1");
    here.settle();
    here.replug_device("3-1");
    here.settle();
    CHECK(here.inside(100) == Ids{"usbhost3-1"});
    CHECK(here.outcome("3-1").state == DeviceState::plugged);
}

TEST_CASE("a VM that stops gives its devices up, and gets them at the same port when it is back") {
    Town town;
    town.pi("workbench").device("workbench/1-1").device("workbench/1-2").vm(100);
    town.rules(100, "workbench");
    town.settle();
    const auto first = town.outcome("workbench/1-1").guest_port;
    town.stop_vm(100);
    town.settle();
    CHECK(town.imported().empty());
    CHECK(
        town.outcome("workbench/1-1").why ==
        "wanted by VM 100 (100.usb.conf:1), which is not running");
    town.unplug_device("workbench/1-2");
    town.vm(100);
    town.settle();
    CHECK(town.outcome("workbench/1-1").guest_port == first);
}

TEST_CASE("after kill -9 the service finds everything as it left it and does nothing") {
    Town town;
    town.pi("workbench").device("workbench/1-1").local("3-1").vm(100);
    town.rules(100, "workbench\n3-1");
    town.settle();
    town.restart_service();
    town.done.clear();
    town.settle();
    CHECK(town.done == std::vector<std::string>{"look at VM 100"});
    CHECK(town.inside(100) == Ids{"usbhost-workbench-1-1", "usbhost3-1"});
    town.pi("workbench").device("workbench/1-1"); // links anew; the numbers differ: replugged
    town.settle();
    CHECK(town.inside(100) == Ids{"usbhost-workbench-1-1", "usbhost3-1"});
}

TEST_CASE("a rule by vid:pid keeps its device over a restart while the Pi has not spoken") {
    Town town;
    town.pi("workbench").device("workbench/1-1", "10c4:ea60").vm(100);
    town.rules(100, "workbench/platform-x/1 10c4:ea60"); // by controller: only the Pi can tell
    town.world.pis["workbench"].devices.begin()->second.controller = "platform-x";
    town.settle();
    REQUIRE(town.inside(100).size() == 1);
    town.restart_service();
    town.done.clear();
    town.settle();
    CHECK(town.done == std::vector<std::string>{"look at VM 100"});
    CHECK(town.inside(100).size() == 1);
}

TEST_CASE("a VM that does not run gets nothing and keeps what it has") {
    for (const auto state :
         {RunState::paused, RunState::prelaunch, RunState::inmigrate, RunState::suspended,
          RunState::shutdown, RunState::other}) {
        Town town;
        town.local("3-1").vm(100, state).rules(100, "3-1");
        town.settle();
        CHECK(town.inside(100).empty());
        CHECK(town.plan().wake); // no event tells when it runs: it is asked again
        town.vm(100, RunState::running);
        town.settle();
        CHECK(town.inside(100) == Ids{"usbhost3-1"});
        town.vm(100, state);
        town.settle();
        CHECK(town.inside(100) == Ids{"usbhost3-1"});
    }
}

TEST_CASE("a device that goes while its VM is paused comes out when the VM runs, not before") {
    Town town;
    town.local("3-1").vm(100).rules(100, "3-1");
    town.settle();
    town.vm(100, RunState::paused);
    town.settle();
    town.unplug_device("3-1");
    // A session tells a paused QEMU nothing: asking for it would fail again and again.
    CHECK(town.planned().empty());
    CHECK(town.outcome("3-1").why == "VM 100 is paused: it comes out when it runs");
    town.vm(100, RunState::running);
    town.settle();
    CHECK(town.inside(100).empty());
}

TEST_CASE("locks: backup changes nothing, a snapshot freezes, a migration takes all out") {
    const auto with_lock = [](VmLock lock) {
        Town town;
        town.local("3-1").local("3-2").vm(100).rules(100, "3-1\n3-2");
        town.settle();
        town.world.vms[100].lock = lock;
        town.unplug_device("3-2"); // gone: may always come out
        town.local("3-3");
        town.rules(100, "3-3"); // 3-1 no longer wanted, 3-3 is
        town.settle();
        return town.inside(100);
    };
    CHECK(with_lock(VmLock::none) == Ids{"usbhost3-3"});
    CHECK(with_lock(VmLock::backup) == Ids{"usbhost3-3"});
    CHECK(with_lock(VmLock::snapshot_delete) == Ids{"usbhost3-3"});
    CHECK(with_lock(VmLock::other) == Ids{"usbhost3-1"});
    CHECK(with_lock(VmLock::migrate).empty());
}

TEST_CASE("what Longcord did not plug is never touched") {
    Town town;
    town.vm(100).rules(100, "3-1");
    town.settle();
    VmView view = *town.world.vms[100].view;
    for (const char* id : {"usb0", "tablet", "usbhost", "usbhost3", "usbredirdev1", ""})
        view.devices.push_back({id, "usb-host", "xhci.0", "3", false, "/dev/bus/usb/001/099", ""});
    vm_viewed(town.world, 100, view, {}, town.now);
    CHECK(town.planned().empty());
}

TEST_CASE("what an unpaired Pi had imported is let go, found before or after it was unpaired") {
    for (const bool found_first : {true, false}) {
        Town town;
        town.vm(100).rules(100, "bench");
        Import import;
        import.place = Place::parse("bench/1-1").value();
        import.since = town.now;
        town.apply(LookAtVm{100});
        if (found_first)
            import_found(town.world, 0, import);
        pi_unpaired(town.world, "bench");
        if (!found_first)
            import_found(town.world, 0, import);
        const auto planned = town.planned();
        REQUIRE(planned.size() == 1);
        CHECK(planned[0].starts_with("detach bench/1-1 from vhci port 0"));
    }
}
