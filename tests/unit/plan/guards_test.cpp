// SPDX-License-Identifier: MIT
// What is never plugged without `force`, and how it is taken as soon as nothing stands in the way.
#include "plan/guards.hpp"
#include "town.hpp"

using namespace longcord;
using namespace longcord::test;
using Ids = std::vector<std::string>;

namespace {

HostUse disk_in_use() {
    HostUse use;
    use.disk = "sda";
    return use;
}

HostUse opened_by(int pid, const std::string& name) {
    HostUse use;
    use.openers = {{pid, name}};
    return use;
}

/// As the config watcher tells it.
void usb_line(
    Town& town, unsigned vmid, const std::string& value, const UsbMappings& mappings = {}) {
    VmConfig config;
    config.usb.push_back(parse_usb_line(0, value));
    town.world.node = "pve1";
    town.world.native = native_uses({{vmid, config}}, mappings, "pve1");
}

} // namespace

TEST_CASE("a local device is plugged only after a look at who uses it") {
    Town town;
    town.local("3-4").vm(100).rules(100, "3-4");
    town.settle();
    CHECK(
        town.done ==
        Ids{"look at VM 100", "look who uses 3-4", "plug 3-4 into VM 100 (xhci.0 port 15)"});
}

TEST_CASE("a look of a while ago says nothing of now") {
    Town town;
    town.local("3-4").vm(100).rules(100, "3-4");
    town.settle();
    town.stop_vm(100);
    town.settle();
    town.host_uses("3-4", disk_in_use());
    town.world.uses.begin()->second.stale = false; // no event told of it
    town.now += use_believed;
    town.vm(100);
    town.settle();
    CHECK(town.inside(100).empty());
    CHECK(town.outcome("3-4").state == DeviceState::refused);
}

TEST_CASE("what this host uses is refused, with who has it and what to do") {
    const auto says = [](HostUse use) {
        Town town;
        town.local("3-4").host_uses("3-4", std::move(use)).vm(100).vm(101).rules(100, "3-4");
        town.settle();
        CHECK(town.inside(100).empty());
        CHECK(town.outcome("3-4").state == DeviceState::refused);
        CHECK(town.outcome("3-4").vmid == 100u);
        CHECK(town.outcome("3-4").why.find("write \"force\" in the rule") != std::string::npos);
        return town.outcome("3-4").why;
    };
    CHECK(says(disk_in_use()).starts_with("this host uses its disk sda (mounted, LVM, ZFS"));
    HostUse network;
    network.network = "its network interface eth1 is up";
    CHECK(says(network).starts_with("its network interface eth1 is up: take it down"));
    CHECK(says(opened_by(77, "upsd")).starts_with("the process upsd (pid 77) has it: end that"));
    HostUse exported;
    exported.exported = true;
    CHECK(says(exported).starts_with("this machine exports it over USB/IP"));
}

TEST_CASE("the QEMU of another VM is named as that; the VM's own counts as nobody") {
    Town town;
    town.local("3-4").vm(100).vm(101).rules(100, "3-4");
    town.host_uses("3-4", opened_by(town.world.vms[101].pid, "kvm"));
    town.settle();
    CHECK(town.outcome("3-4").why.starts_with(
        fmt::format("the QEMU of VM 101 (pid {}) has it", town.world.vms[101].pid)));
    town.host_uses("3-4", opened_by(town.world.vms[100].pid, "kvm"));
    town.now += looks_apart;
    town.settle();
    CHECK(town.inside(100) == Ids{"usbhost3-4"});
}

TEST_CASE("force takes it all the same, without a look") {
    Town town;
    town.local("3-4").host_uses("3-4", disk_in_use()).vm(100).rules(100, "3-4 force");
    usb_line(town, 101, "host=3-4");
    town.settle();
    CHECK(town.inside(100) == Ids{"usbhost3-4"});
    CHECK(town.done == Ids{"look at VM 100", "plug 3-4 into VM 100 (xhci.0 port 15)"});
}

TEST_CASE("a device that is free again is taken: by an event at once, else by and by") {
    Town town;
    town.local("3-4").host_uses("3-4", disk_in_use()).vm(100).rules(100, "3-4");
    town.settle();
    REQUIRE(town.outcome("3-4").state == DeviceState::refused);
    SUBCASE("an event is there") {
        town.host_uses("3-4", {});
        town.now += looks_apart;
    }
    SUBCASE("a process closed the node") {
        town.host_uses("3-4", {});
        town.world.uses.begin()->second.stale = false;
        node_closed(town.world, town.world.node_of(town.world.local.begin()->second.device));
        town.now += looks_apart;
    }
    SUBCASE("no event came") {
        town.host_uses("3-4", {});
        town.world.uses.begin()->second.stale = false;
        CHECK(town.plan().actions.empty());
        REQUIRE(town.plan().wake);
        town.now = *town.plan().wake;
    }
    town.settle();
    CHECK(town.inside(100) == Ids{"usbhost3-4"});
}

TEST_CASE("however many events come, a device is not looked at more often than every 0.2 s") {
    Town town;
    town.local("3-4").host_uses("3-4", disk_in_use()).vm(100).rules(100, "3-4");
    town.settle();
    uses_touched(town.world);
    CHECK(town.plan().actions.empty());
    CHECK(town.plan().wake == town.now + looks_apart);
    town.now += looks_apart;
    CHECK(town.planned() == Ids{"look who uses 3-4"});
    CHECK(town.outcome("3-4").state == DeviceState::refused); // says so all the while
    for (const auto& action : town.plan().actions)
        action_started(town.world, action);
    CHECK(town.outcome("3-4").state == DeviceState::refused);
}

TEST_CASE("a usbN: line of any VM keeps its place, in every form") {
    Town town;
    town.local("3-4", "0403:6001").local("3-40", "1a86:55d4").vm(100).rules(100, "3-4\n3-40");
    const UsbMappings by_path{
        {"board",
         {{"pve2", Place::parse("3-40").value(), {}}, {"pve1", Place::parse("3-4").value(), {}}}}};
    const UsbMappings by_id{{"board", {{"pve1", {}, UsbId{0x0403, 0x6001}}}}};
    SUBCASE("by bus and port") {
        usb_line(town, 101, "host=3-4,usb3=1");
    }
    SUBCASE("by ids") {
        usb_line(town, 101, "host=0403:6001");
    }
    SUBCASE("by a mapping with a path on this node") {
        usb_line(town, 101, "mapping=board", by_path);
    }
    SUBCASE("by a mapping with ids on this node") {
        usb_line(town, 101, "mapping=board,usb3=1", by_id);
    }
    SUBCASE("of the VM that has the rule") {
        usb_line(town, 100, "host=3-4");
    }
    town.settle();
    CHECK(town.inside(100) == Ids{"usbhost3-40"});
    CHECK(town.outcome("3-4").state == DeviceState::refused);
    CHECK(town.outcome("3-4").why.find("own line \"usb0: ") != std::string::npos);
    town.world.native.clear();
    town.settle();
    CHECK(town.inside(100) == Ids{"usbhost3-4", "usbhost3-40"});
}

TEST_CASE("the other half of the receptacle is the same place to a usbN: line") {
    Town town;
    town.local("4-4").vm(100).rules(100, "4-4");
    town.world.local.begin()->second.peer = Place::parse("3-4").value();
    usb_line(town, 101, "host=3-4");
    town.settle();
    CHECK(town.outcome("4-4").state == DeviceState::refused);
}

TEST_CASE("a usbN: line that comes later makes us let go") {
    Town town;
    town.local("3-4").vm(100).rules(100, "3-4");
    town.settle();
    REQUIRE(town.inside(100) == Ids{"usbhost3-4"});
    usb_line(town, 101, "host=3-4");
    town.settle();
    CHECK(town.inside(100).empty());
}

TEST_CASE("a usbN: line by ids would take a Pi's device too, so it keeps that from being fetched") {
    Town town;
    town.pi("workbench").device("workbench/1-1").vm(100).rules(100, "workbench");
    usb_line(town, 101, "host=1a86:55d4");
    town.settle();
    CHECK(town.imported().empty());
    CHECK(town.outcome("workbench/1-1").state == DeviceState::refused);
}

TEST_CASE("lines that name nothing here keep nothing") {
    Town town;
    town.local("3-4").vm(100).rules(100, "3-4");
    SUBCASE("spice") {
        usb_line(town, 101, "spice");
    }
    SUBCASE("a mapping that nobody has") {
        usb_line(town, 101, "mapping=board");
    }
    SUBCASE("a mapping without this node") {
        usb_line(
            town, 101, "mapping=board", {{"board", {{"pve2", Place::parse("3-4").value(), {}}}}});
    }
    SUBCASE("another port") {
        usb_line(town, 101, "host=3-40");
    }
    town.settle();
    CHECK(town.inside(100) == Ids{"usbhost3-4"});
}
