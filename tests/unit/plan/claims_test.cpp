// SPDX-License-Identifier: MIT
// Who gets a device when several want it.
#include "town.hpp"

using namespace longcord;
using namespace longcord::test;
using Ids = std::vector<std::string>;

TEST_CASE("two equal claims of running VMs: nobody gets it and everybody is told") {
    Town town;
    town.local("3-1").vm(100).vm(101).rules(100, "3-1").rules(101, "3-1");
    town.settle();
    CHECK(town.inside(100).empty());
    CHECK(town.inside(101).empty());
    CHECK(town.outcome("3-1").state == DeviceState::conflict);
    CHECK(
        town.outcome("3-1").why == "VM 100 (100.usb.conf:1) and VM 101 (101.usb.conf:1) want it "
                                   "equally: make one rule more precise");
}

TEST_CASE("a shared rule is normal where the VMs do not run together: the holder keeps it") {
    Town town;
    town.local("3-1").vm(100).rules(100, "3-1").rules(101, "3-1");
    town.settle();
    CHECK(town.inside(100) == Ids{"usbhost3-1"});
    town.vm(101);
    town.settle();
    CHECK(town.inside(100) == Ids{"usbhost3-1"});
    CHECK(town.inside(101).empty());
    town.stop_vm(100);
    town.settle();
    CHECK(town.inside(101) == Ids{"usbhost3-1"});
}

TEST_CASE("a stronger rule of a running VM takes it from the holder") {
    Town town;
    town.local("3-1.2").vm(100).rules(100, "3-1");
    town.settle();
    town.vm(101).rules(101, "3-1.2");
    town.settle();
    CHECK(town.inside(100).empty());
    CHECK(town.inside(101) == Ids{"usbhost3-1.2"});
}

TEST_CASE("a VM that has not answered yet may have the better claim: wait for it") {
    Town town;
    town.local("3-1.2").vm(100).vm(101).rules(100, "3-1").rules(101, "3-1.2");
    town.refuse = [](const Action& action) -> Result<> {
        const auto* look = std::get_if<LookAtVm>(&action);
        if (look && look->vmid == 101)
            return fail(ErrorKind::timeout, "VM 101: its socket is held by another client");
        return {};
    };
    town.settle();
    CHECK(town.inside(100).empty());
    CHECK(town.outcome("3-1.2").why == "waiting for an answer of VM 101 (101.usb.conf:1)");
    SUBCASE("a weaker claim is not waited for") {
        town.rules(101, "3-1").rules(100, "3-1.2");
        town.settle();
        CHECK(town.inside(100) == Ids{"usbhost3-1.2"});
    }
    SUBCASE("and the holder keeps it against an equal one") {
        town.stop_vm(101);
        town.settle();
        REQUIRE(town.inside(100) == Ids{"usbhost3-1.2"});
        town.vm(101).rules(101, "3-1");
        town.settle();
        CHECK(town.inside(100) == Ids{"usbhost3-1.2"});
    }
}

TEST_CASE("guest ports: the rule's own, else from above, never one of Proxmox' usbN") {
    Town town;
    town.local("3-1").local("3-2").vm(100).rules(100, "3-1 port=5\n3-2");
    town.world.vms[100].proxmox_ports = 14;
    town.settle();
    CHECK(town.outcome("3-1").guest_port == 5u);
    CHECK(town.outcome("3-2").guest_port == 15u);
    town.local("3-3").rules(100, "3-1 port=5\n3-2\n3-3");
    town.settle();
    CHECK(town.outcome("3-3").state == DeviceState::refused);
    CHECK(
        town.outcome("3-3").why == "VM 100: no free port on its controller xhci (15 ports, 1 to 14 "
                                   "are for its usbN lines; 5: 3-1, 15: 3-2)");
}

TEST_CASE("a VM without xHCI is told what to do, and its device is not even fetched") {
    Town town;
    town.pi("workbench").device("workbench/1-1").vm_without_xhci(100).rules(100, "workbench");
    town.settle();
    CHECK(town.done == std::vector<std::string>{"look at VM 100"});
    CHECK(town.outcome("workbench/1-1").state == DeviceState::refused);
    CHECK(town.outcome("workbench/1-1").why.find("longcord vm prepare 100") != std::string::npos);
}

TEST_CASE("a device that is not what its Pi announced stays unauthorised") {
    Town town;
    town.pi("workbench").device("workbench/1-1").vm(100).rules(100, "workbench");
    town.world.pis["workbench"].devices.begin()->second.id = UsbId{0x0403, 0x6001};
    town.settle();
    CHECK(town.inside(100).empty());
    CHECK(town.outcome("workbench/1-1").state == DeviceState::refused);
    for (const auto& action : town.done)
        CHECK_FALSE(action.starts_with("authorise"));
}

TEST_CASE("a VM whose rules cannot be read since the start keeps what it holds, and gets nothing") {
    Town town;
    town.local("3-1").local("3-2").vm(100).rules(100, "3-1");
    town.settle();
    town.restart_service();
    town.world.rules.clear(); // its file does not parse
    town.world.rules_unread.insert(100);
    town.settle();
    CHECK(town.inside(100) == Ids{"usbhost3-1"});
    town.world.rules_unread.clear();
    town.rules(100, "3-2");
    town.settle();
    CHECK(town.inside(100) == Ids{"usbhost3-2"});
}
