// SPDX-License-Identifier: MIT
// Whose outcome is not known is read back before anything else is done to that device: what QEMU
// did not answer, and what was there before the service.
#include "town.hpp"

#include <algorithm>

using namespace longcord;
using namespace longcord::test;
using Ids = std::vector<std::string>;

namespace {

bool asks_for(const Town& town, const std::string& words) {
    const auto planned = town.planned();
    return std::any_of(planned.begin(), planned.end(), [&](const std::string& action) {
        return action.starts_with(words);
    });
}

/// One round of the loop: VM 100 was asked to plug 3-1, and no answer came.
void plug_is_in_doubt(Town& town) {
    town.local("3-1").vm(100).vm(101).rules(100, "3-1");
    town.falls_silent(100);
    const auto before = town.done.size();
    for (int round = 0; round < 4 && town.world.doubtful_plugs.empty(); ++round)
        for (const auto& action : town.plan().actions)
            town.apply(action);
    REQUIRE(town.done.size() > before);
    REQUIRE(town.world.doubtful_plugs.size() == 1);
}

} // namespace

TEST_CASE("a device that may be in a VM is given to no other until that VM has been seen") {
    Town town;
    plug_is_in_doubt(town);
    town.rules(101, "3-1 0403:6001"); // the stronger rule
    CHECK_FALSE(asks_for(town, "plug"));
    CHECK(town.outcome("3-1").why == "VM 100 may have it and does not answer yet");
    town.now += seconds(1); // then it is asked
    CHECK(asks_for(town, "look at VM 100"));
    town.settle();
    CHECK(town.inside(100).empty());
    CHECK(town.inside(101) == Ids{"usbhost3-1"});
}

TEST_CASE("a VM that may have a device is asked, although no rule of it is left") {
    Town town;
    plug_is_in_doubt(town);
    town.rules(100, "");
    town.now += seconds(1);
    town.settle();
    CHECK(town.inside(100).empty());
    CHECK(town.world.doubtful_plugs.empty());
}

TEST_CASE("a QEMU that has ended has nothing") {
    Town town;
    plug_is_in_doubt(town);
    town.rules(101, "3-1 0403:6001");
    town.stop_vm(100);
    CHECK(town.world.doubtful_plugs.empty());
    town.now += seconds(1);
    town.settle();
    CHECK(town.inside(101) == Ids{"usbhost3-1"});
}

TEST_CASE("after a restart, what a VM that does not answer may have is given to no other") {
    for (const bool local : {false, true}) {
        CAPTURE(local);
        // A local one without "force" is looked at before it is plugged: that shows who has it.
        const std::string place = local ? "3-1" : "workbench/1-1";
        const std::string rule = place + (local ? " force" : "");
        Town town;
        town.pi("workbench").device("workbench/1-1").local("3-1").vm(100).vm(101).rules(100, rule);
        town.settle();
        REQUIRE(town.inside(100).size() == 1);
        const Device announced = *town.world.announced_at(Place::parse("workbench/1-1").value());
        town.rules(100, "").rules(101, rule); // and no service was there to see it
        town.restart_service();
        pi_linked(town.world, "workbench", "192.0.2.7", town.now);
        pi_listed(town.world, "workbench", {announced}, town.now);
        town.refuse = [](const Action& action) -> Result<> {
            if (action == Action(LookAtVm{100}))
                return fail(ErrorKind::timeout, "no greeting");
            return {};
        };
        town.settle();
        CHECK(town.inside(100).size() == 1);
        CHECK(town.inside(101).empty());
        CHECK(town.outcome(place).why == "VM 100 may have it and does not answer yet");
        town.refuse = nullptr;
        town.now += seconds(40);
        town.settle();
        CHECK(town.inside(100).empty());
        CHECK(town.inside(101).size() == 1);
    }
}
