// SPDX-License-Identifier: MIT
#include "plan/unloadable_ram.hpp"
#include "town.hpp"

using namespace longcord;
using namespace longcord::test;

namespace {

std::map<unsigned, VmConfig> configs(const std::string& text) {
    return {{100, parse_vm_config(text)}};
}

constexpr const char* being_made =
    "lock: snapshot\n[before]\nsnapstate: prepare\nsnaptime: 7\nvmstate: l:v\n";
constexpr const char* made = "[before]\nsnaptime: 7\nvmstate: l:v\n";

Town with_a_board() {
    Town town;
    town.pi("workbench").device("workbench/1-1.2").vm(100).rules(100, "workbench");
    town.settle();
    REQUIRE(town.inside(100) == std::vector<std::string>{"usbhost-workbench-1-1.2"});
    town.world.unsaved_intents.clear();
    return town;
}

} // namespace

TEST_CASE("a snapshot with RAM of a VM with a board is remembered, once") {
    Town town = with_a_board();
    CHECK(saved_ram_seen(town.world, configs(being_made)) == std::vector<unsigned>{100});
    const auto& known = town.world.intents[100].unloadable;
    REQUIRE(known.size() == 1);
    CHECK(known[0] == UnloadableRam{"before", "7", {{{"xhci.0", 15}, "workbench/1-1.2"}}});
    CHECK(town.world.unsaved_intents == std::set<unsigned>{100});
    CHECK(saved_ram_seen(town.world, configs(being_made)).empty());
    CHECK(saved_ram_seen(town.world, configs(made)).empty());
    CHECK(town.world.intents[100].unloadable.size() == 1);
}

TEST_CASE("and forgotten when the snapshot is deleted, or made anew without the board") {
    Town town = with_a_board();
    saved_ram_seen(town.world, configs(being_made));
    town.world.unsaved_intents.clear();
    SUBCASE("deleted") {
        saved_ram_seen(town.world, configs("name: a\n"));
    }
    SUBCASE("made anew") {
        saved_ram_seen(town.world, configs("[before]\nsnaptime: 8\nvmstate: l:v\n"));
    }
    CHECK(town.world.intents[100].unloadable.empty());
    CHECK(town.world.unsaved_intents == std::set<unsigned>{100});
}

TEST_CASE("what was plugged before or after the saving does not matter") {
    Town town = with_a_board();
    CHECK(saved_ram_seen(town.world, configs(made)).empty());
    CHECK(saved_ram_seen(town.world, configs("[disk]\nsnapstate: prepare\n")).empty());
    town.unplug_device("workbench/1-1.2");
    town.settle();
    CHECK(saved_ram_seen(town.world, configs(being_made)).empty());
    CHECK(town.world.intents[100].unloadable.empty());
}

TEST_CASE("a plug that was under way when the lock came is noted by the next view") {
    Town town;
    town.pi("workbench").device("workbench/1-1.2").vm(100).rules(100, "workbench");
    saved_ram_seen(town.world, configs(being_made));
    CHECK(town.world.intents[100].unloadable.empty());
    town.settle();
    CHECK(town.world.intents[100].unloadable.size() == 1);
}

TEST_CASE("hibernation is remembered while the VM does not run, and how it is loaded is told") {
    Town town = with_a_board();
    saved_ram_seen(town.world, configs("lock: suspending\nvmstate: l:v\n"));
    town.stop_vm(100);
    town.settle();
    saved_ram_seen(town.world, configs("lock: suspended\nvmstate: l:v\n"));
    REQUIRE(town.world.intents[100].unloadable.size() == 1);
    CHECK(
        how_to_load(100, town.world.intents[100].unloadable[0]) ==
        "VM 100: it was hibernated with workbench/1-1.2 plugged and will not load; it does with "
        "-device usb-host,id=rescuexhci-15,bus=xhci.0,port=15,hostbus=127,hostport=1 in the args: "
        "line (see docs/snapshots.md)");
}

TEST_CASE("of a snapshot it is told where the line goes, with one device for each port") {
    CHECK(
        how_to_load(7, {"before", "1", {{{"longcord.0", 2}, "3-4"}, {{"longcord.0", 3}, "3-5"}}}) ==
        "VM 7: the RAM of snapshot \"before\" was saved with 3-4, 3-5 plugged and will not load; "
        "it "
        "does with -device usb-host,id=rescuelongcord-2,bus=longcord.0,port=2,hostbus=127,"
        "hostport=1 -device usb-host,id=rescuelongcord-3,bus=longcord.0,port=3,hostbus=127,"
        "hostport=1 in the args: line of its section [before] (see docs/snapshots.md)");
}
