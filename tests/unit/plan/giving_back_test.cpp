// SPDX-License-Identifier: MIT
// Before the package is removed, nothing is kept (`longcord-host --give-back`).
#include "plan/by_hand.hpp"
#include "town.hpp"

using namespace longcord;
using namespace longcord::test;
using Ids = std::vector<std::string>;

namespace {

/// VM 100 has a device of this host, and one of a Pi.
Town with_plugged_devices() {
    Town town;
    town.local("3-1").pi("workbench").device("workbench/1-1").vm(100);
    town.rules(100, "3-1\nworkbench");
    town.settle();
    REQUIRE(town.inside(100) == Ids{"usbhost-workbench-1-1", "usbhost3-1"});
    town.done.clear();
    return town;
}

/// What `--give-back` begins with: a World of its own, and no link.
void give_back(Town& town) {
    town.restart_service();
    town.world.pis.clear();
    town.world.giving_back = true;
}

} // namespace

TEST_CASE("giving back takes out what rules want, and detaches imports") {
    Town town = with_plugged_devices();
    give_back(town);
    town.settle();
    CHECK(town.inside(100).empty());
    CHECK(town.imported().empty());
    CHECK(town.plan().actions.empty());
}

TEST_CASE("giving back without links, vhci lets go before QEMU is told") {
    Town town = with_plugged_devices();
    give_back(town);
    town.settle();
    const auto position = [&](const std::string& words) {
        for (std::size_t i = 0; i < town.done.size(); ++i)
            if (town.done[i].find(words) != std::string::npos)
                return i;
        FAIL("never done: " << words);
        return town.done.size();
    };
    CHECK(position("detach workbench/1-1") < position("unplug workbench/1-1"));
}

TEST_CASE("giving back heeds no hand") {
    Town town = with_plugged_devices();
    town.rules(100, "# nothing");
    REQUIRE(attach_by_hand(town.world, Place::parse("3-1").value(), 100, false).has_value());
    town.settle();
    REQUIRE(town.inside(100) == Ids{"usbhost3-1"});
    const auto intents = town.world.intents;
    give_back(town);
    town.world.intents = intents;
    index_by_hand(town.world);
    town.settle();
    CHECK(town.inside(100).empty());
}

TEST_CASE("giving back, a locked VM keeps its local device, and loses the import") {
    Town town = with_plugged_devices();
    give_back(town);
    town.world.vms.at(100).lock = VmLock::other;
    town.settle();
    CHECK(town.imported().empty());
    CHECK(town.inside(100).size() >= 1);
    CHECK(town.outcome("3-1").why.find("locked") != std::string::npos);
}
