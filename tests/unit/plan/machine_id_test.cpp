// SPDX-License-Identifier: MIT
// Machines of host.yaml among Proxmox' VMs: numbers that never meet, names for people.
#include "plan/machine_id.hpp"
#include "town.hpp"

using namespace longcord;
using namespace longcord::test;
using Ids = std::vector<std::string>;

TEST_CASE("a machine's number is made from its name, above every VMID, and stays") {
    const auto ids = machine_ids({"windows", "linux"});
    REQUIRE(ids.size() == 2);
    CHECK(ids.at("windows") > highest_vmid);
    CHECK(is_machine(ids.at("linux")));
    CHECK_FALSE(is_machine(highest_vmid));
    CHECK(machine_ids({"linux", "another", "windows"}).at("windows") == ids.at("windows"));
    CHECK(ids.at("windows") != ids.at("linux"));
}

TEST_CASE("any number of machines have a number each") {
    std::vector<std::string> names;
    for (int i = 0; i < 2000; ++i)
        names.push_back("m" + std::to_string(i));
    std::set<unsigned> seen;
    for (const auto& [name, id] : machine_ids(names)) {
        CHECK(id >= lowest_machine_id);
        seen.insert(id);
    }
    CHECK(seen.size() == names.size());
}

TEST_CASE("a file of a machine is known by its number") {
    CHECK(machine_id_of_file("1234567890.json") == 1234567890u);
    for (const char* name : {"100.json", "1234567890", "1234567890.json.tmp", "x.json", ".json"})
        CHECK_FALSE(machine_id_of_file(name));
}

TEST_CASE("sentences name a machine by its name, and other VMs by their number") {
    const std::map<unsigned, std::string> names{{1234567890, "windows"}};
    CHECK(
        with_machine_names("VM 1234567890 (host.yaml:3) and VM 100", names) ==
        "VM windows (host.yaml:3) and VM 100");
    CHECK(with_machine_names("VM 1234567890", names) == "VM windows");
    CHECK(with_machine_names("VM 12345678901 VM ", names) == "VM 12345678901 VM ");
    CHECK(with_machine_names("1234567890", names) == "1234567890");
    CHECK(with_machine_names("", names).empty());
}

TEST_CASE("a claim of a machine names its line in host.yaml") {
    const unsigned id = machine_ids({"windows"}).at("windows");
    Town town;
    town.local("3-1").vm(id).vm(100).rules(id, "3-1").rules(100, "3-1");
    town.settle();
    CHECK(town.outcome("3-1").state == DeviceState::conflict);
    CHECK(
        town.outcome("3-1").why.find(fmt::format("VM {} (host.yaml:1)", id)) != std::string::npos);
}

TEST_CASE("the buses that were asked for are used in their order, and no other") {
    Town town;
    town.local("3-1").local("3-2").vm(100).rules(100, "3-1\n3-2");
    town.controllers(100, {{"a", "qemu-xhci", "a.0", 15}, {"b", "qemu-xhci", "b.0", 1}});
    town.world.vms[100].buses = {"b.0", "a.0"};
    town.settle();
    CHECK(
        Ids(town.done.end() - 2, town.done.end()) ==
        Ids{"plug 3-1 into VM 100 (b.0 port 1)", "plug 3-2 into VM 100 (a.0 port 15)"});
    town.local("3-3").rules(100, "3-3");
    town.world.vms[100].buses = {"c.0"};
    town.settle();
    CHECK(town.outcome("3-3").state == DeviceState::refused);
    CHECK(
        town.outcome("3-3").why ==
        "VM 100 has no xHCI controller with one of the buses that its 'hubs' name (c.0)");
}

TEST_CASE("while a device waits for a port the VM is looked at, less and less often") {
    Town town;
    town.local("3-1").vm(100).rules(100, "3-1");
    town.controllers(100, {{"xhci", "qemu-xhci", "xhci.0", 0}});
    town.settle();
    REQUIRE(town.outcome("3-1").state == DeviceState::refused);
    town.done.clear();
    auto apart = milliseconds(0);
    for (int look = 1; look <= 8; ++look) {
        const auto next = town.plan().wake;
        REQUIRE(next.has_value());
        const auto pause = std::chrono::duration_cast<milliseconds>(*next - town.now);
        CHECK(pause >= apart);
        CHECK(pause <= Backoff::longest);
        apart = pause;
        town.now = *next;
        CHECK(town.planned() == Ids{"look at VM 100"});
        town.settle();
    }
    CHECK(apart == Backoff::longest);
    CHECK(town.done.size() == 8); // one look each time, and nothing else
    SUBCASE("and what frees one is seen at the next look, without any event") {
        town.quiet_controllers(100, {{"xhci", "qemu-xhci", "xhci.0", 1}});
        town.now = *town.plan().wake;
        town.settle();
        CHECK(town.inside(100) == Ids{"usbhost3-1"});
    }
    SUBCASE("a device that needs none is no reason to look") {
        town.rules(100, "3-2");
        town.settle();
        CHECK_FALSE(town.plan().wake.has_value());
    }
}

TEST_CASE("a full controller is told with who holds its ports, and a freed port is taken") {
    Town town;
    town.local("3-1").local("3-2").vm(100);
    town.rules(100, "3-1\n3-2");
    town.controllers(100, {{"xhci", "qemu-xhci", "xhci.0", 1}});
    town.settle();
    REQUIRE(town.inside(100) == Ids{"usbhost3-1"});
    CHECK(town.outcome("3-2").state == DeviceState::refused);
    CHECK(
        town.outcome("3-2").why == "VM 100: no free port on its controller xhci (1 ports; 1: 3-1)");
    town.unplug_device("3-1");
    town.settle();
    CHECK(town.inside(100) == Ids{"usbhost3-2"});
}
