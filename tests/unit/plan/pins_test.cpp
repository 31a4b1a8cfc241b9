// SPDX-License-Identifier: MIT
// A place gets the same port every time, in the guest and on vhci, whatever happens in between.
#include "plan/pins.hpp"
#include "plan/stable_name.hpp"
#include "town.hpp"

using namespace longcord;
using namespace longcord::test;

namespace {

/// The controller of the device at that place, which the town leaves unknown.
void on(Town& town, const std::string& place, const std::string& controller) {
    const Place at = Place::parse(place).value();
    if (at.is_local())
        town.world.local.at(at).device.controller = controller;
    else
        town.world.pis.at(at.pi).devices.at(at).controller = controller;
}

} // namespace

TEST_CASE("a place is remembered by its controller") {
    CHECK(stable_name(Place::parse("3-4.1").value(), "pci-0000:00:14.0") == "pci-0000:00:14.0/4.1");
    CHECK(
        stable_name(Place::parse("workbench/1-1.2").value(), "platform-fe9c0000.xhci") ==
        "workbench/platform-fe9c0000.xhci/1.2");
    CHECK(stable_name(Place::parse("workbench/1-1.2").value(), "") == "workbench/1-1.2");
}

TEST_CASE("the guest port is the same after the VM, the device and the service came again") {
    Town town;
    town.local("3-1").local("3-2").vm(100).rules(100, "3-1\n3-2");
    on(town, "3-1", "pci-0000:00:14.0");
    on(town, "3-2", "pci-0000:00:14.0");
    town.settle();
    REQUIRE(town.outcome("3-1").guest_port == 15u);
    REQUIRE(town.outcome("3-2").guest_port == 14u);
    CHECK(town.world.unsaved_intents == std::set<unsigned>{100});
    CHECK(
        town.world.intents[100].pins ==
        std::map<std::string, GuestPort>{
            {"pci-0000:00:14.0/1", {"xhci.0", 15}}, {"pci-0000:00:14.0/2", {"xhci.0", 14}}});
    SUBCASE("3-2 comes first this time") {
        town.unplug_device("3-1");
        town.stop_vm(100);
        town.settle();
        town.vm(100);
        town.settle();
        CHECK(town.outcome("3-2").guest_port == 14u);
    }
    SUBCASE("after a reboot the bus has another number, and the file is all that is left") {
        const auto kept = town.world.intents;
        Town after;
        after.world.intents = kept;
        after.local("1-2").vm(100).rules(100, "1-2");
        on(after, "1-2", "pci-0000:00:14.0");
        after.settle();
        CHECK(after.outcome("1-2").guest_port == 14u);
        CHECK(after.world.unsaved_intents.empty()); // nothing new
    }
}

TEST_CASE("a pin that is taken, or on a controller that is gone, is no reason to refuse") {
    Town town;
    town.local("3-1").vm(100).rules(100, "3-1");
    town.world.intents[100].pins["3-1"] = {"longcord.0", 3};
    town.settle();
    CHECK(town.outcome("3-1").guest_port == 15u);
}

TEST_CASE("a pin gives way to a usbN line that Proxmox has for that port since") {
    Town town;
    town.local("3-1").vm(100).rules(100, "3-1");
    town.world.intents[100].pins["3-1"] = {"xhci.0", 3};
    town.settle();
    REQUIRE(town.outcome("3-1").guest_port == 3u);
    town.world.vms[100].proxmox_ports = 3; // usb2: at port 3, where it could not be plugged
    town.replug_device("3-1");
    town.settle();
    CHECK(town.outcome("3-1").guest_port == 15u);
}

TEST_CASE("what the Pi of a found plug says later is remembered too") {
    Town town;
    town.pi("workbench").device("workbench/1-1").vm(100).rules(100, "workbench");
    on(town, "workbench/1-1", "platform-x");
    town.settle();
    town.world.intents.clear();
    const auto devices = town.world.pis["workbench"].devices;
    pi_listed(town.world, "workbench", {devices.begin()->second}, town.now);
    CHECK(town.world.intents[100].pins.contains("workbench/platform-x/1"));
}

TEST_CASE("the vhci port is the same again where it is free") {
    Town town;
    town.pi("attic").device("attic/1-1").device("attic/1-2").vm(100).rules(100, "attic");
    town.settle();
    const auto port_of = [&](const char* place) {
        return town.world.import_of(Place::parse(place).value())->first;
    };
    REQUIRE(port_of("attic/1-1") == 0);
    REQUIRE(port_of("attic/1-2") == 1);
    town.unplug_device("attic/1-1");
    town.unplug_device("attic/1-2");
    town.settle();
    REQUIRE(town.imported().empty());
    town.device("attic/1-2");
    town.settle();
    CHECK(port_of("attic/1-2") == 1);
    town.device("attic/1-3").rules(100, "attic");
    town.settle();
    REQUIRE(port_of("attic/1-3") == 0);
    town.device("attic/1-1");
    town.settle();
    CHECK(port_of("attic/1-1") == 2); // its own is taken
}

TEST_CASE("pins do not add up for ever") {
    Town town;
    town.local("3-1").vm(100).rules(100, "3-1");
    auto& pins = town.world.intents[100].pins;
    for (std::size_t i = 0; i < VmIntent::most_pins; ++i)
        pins["attic/1-" + std::to_string(i + 1)] = {"xhci.0", 1};
    town.settle();
    CHECK(pins.size() == VmIntent::most_pins);
    CHECK(pins.contains("3-1"));
}
