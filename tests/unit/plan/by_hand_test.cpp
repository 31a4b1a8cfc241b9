// SPDX-License-Identifier: MIT
// What a person does by hand, over the rules, until `resume`.
#include "plan/by_hand.hpp"
#include "plan/stable_name.hpp"
#include "town.hpp"

using namespace longcord;
using namespace longcord::test;
using Ids = std::vector<std::string>;

namespace {

Place at(const std::string& text) {
    return Place::parse(text).value();
}

} // namespace

TEST_CASE("attached by hand: over the rules, also a stronger one, until resume") {
    Town town;
    town.local("3-1").vm(100).vm(101).rules(100, "3-1 0403:6001");
    town.settle();
    REQUIRE(town.inside(100) == Ids{"usbhost3-1"});
    REQUIRE(attach_by_hand(town.world, at("3-1"), 101, false).has_value());
    town.settle();
    CHECK(town.inside(100).empty());
    CHECK(town.inside(101) == Ids{"usbhost3-1"});
    CHECK(town.world.unsaved_intents.contains(101));
    CHECK(resume_place(town.world, at("3-1"), "3-1") == Resumed::by_rules);
    town.settle();
    CHECK(town.inside(100) == Ids{"usbhost3-1"});
    CHECK(town.inside(101).empty());
    CHECK(resume_place(town.world, at("3-1"), "3-1") == Resumed::nothing);
}

TEST_CASE("attached by hand needs no rule, and stays over a restart and a stop of the VM") {
    Town town;
    town.pi("workbench").device("workbench/1-1").vm(100);
    town.settle();
    REQUIRE(attach_by_hand(town.world, at("workbench/1-1"), 100, false).has_value());
    town.settle();
    REQUIRE(town.inside(100) == Ids{"usbhost-workbench-1-1"});
    town.stop_vm(100);
    town.settle();
    CHECK(town.imported().empty());
    CHECK(town.outcome("workbench/1-1").why.find("which does not run now") != std::string::npos);
    const auto intents = town.world.intents;
    town.vm(100);
    town.world.intents.clear();
    town.world.by_hand.clear();
    town.world.intents = intents; // read from the files
    index_by_hand(town.world);
    town.settle();
    CHECK(town.inside(100) == Ids{"usbhost-workbench-1-1"});
}

TEST_CASE("attached by hand to a VM without rules, to which something has happened meanwhile") {
    Town town;
    town.local("3-1").vm(100);
    town.settle();
    vm_touched(town.world, 100); // of no interest then: it has nothing and wants nothing
    REQUIRE(town.planned().empty());
    REQUIRE(attach_by_hand(town.world, at("3-1"), 100, false).has_value());
    town.settle();
    CHECK(town.inside(100) == Ids{"usbhost3-1"});
}

TEST_CASE("detached by hand: no VM gets it, however often it is plugged in, until resume") {
    Town town;
    town.pi("workbench").device("workbench/1-1").vm(100).vm(101).rules(100, "workbench");
    town.settle();
    REQUIRE(town.inside(100) == Ids{"usbhost-workbench-1-1"});
    REQUIRE(detach_by_hand(town.world, at("workbench/1-1")).has_value());
    town.settle();
    CHECK(town.inside(100).empty());
    CHECK(town.imported().empty());
    town.replug_device("workbench/1-1");
    town.rules(101, "workbench/1-1");
    town.settle();
    CHECK(town.imported().empty());
    CHECK(town.outcome("workbench/1-1").why.starts_with("detached by hand"));
    CHECK(resume_place(town.world, at("workbench/1-1"), "") == Resumed::by_rules);
    town.settle();
    CHECK(town.inside(101) == Ids{"usbhost-workbench-1-1"});
}

TEST_CASE("the last word counts: attach after detach, detach after attach") {
    Town town;
    town.local("3-1").vm(100).vm(101).rules(100, "3-1");
    town.settle();
    REQUIRE(detach_by_hand(town.world, at("3-1")).has_value());
    REQUIRE(attach_by_hand(town.world, at("3-1"), 101, false).has_value());
    town.settle();
    CHECK(town.inside(101) == Ids{"usbhost3-1"});
    REQUIRE(detach_by_hand(town.world, at("3-1")).has_value());
    town.settle();
    CHECK(town.inside(100).empty());
    CHECK(town.inside(101).empty());
}

TEST_CASE("the guards hold by hand too, but for force") {
    Town town;
    HostUse use;
    use.disk = "sda";
    town.local("3-1").host_uses("3-1", use).vm(100);
    town.settle();
    REQUIRE(attach_by_hand(town.world, at("3-1"), 100, false).has_value());
    town.settle();
    CHECK(town.outcome("3-1").state == DeviceState::refused);
    REQUIRE(attach_by_hand(town.world, at("3-1"), 100, true).has_value());
    town.settle();
    CHECK(town.inside(100) == Ids{"usbhost3-1"});
}

TEST_CASE("what cannot be done by hand is refused") {
    Town town;
    town.local("3-1").hub("3-2").vm(100);
    CHECK(attach_by_hand(town.world, at("3-9"), 100, false).error().kind == ErrorKind::not_found);
    CHECK(attach_by_hand(town.world, at("3-2"), 100, false).error().kind == ErrorKind::not_found);
    CHECK(detach_by_hand(town.world, at("3-1")).error().kind == ErrorKind::not_found);
    auto& attached = town.world.intents[100].attached;
    for (std::size_t i = 0; i < VmIntent::most_by_hand - 1; ++i)
        attached.insert("x/1-" + std::to_string(i + 1));
    CHECK(attach_by_hand(town.world, at("3-1"), 100, false).has_value());
    town.local("3-3");
    CHECK(attach_by_hand(town.world, at("3-3"), 100, false).error().kind == ErrorKind::full);
}

TEST_CASE("resume gives a device that is held off a fresh start") {
    Town town;
    town.local("3-1").vm(100).rules(100, "3-1");
    for (unsigned i = 0; i <= History::normal_replugs; ++i)
        town.replug_device("3-1");
    town.settle();
    REQUIRE(town.outcome("3-1").state == DeviceState::held_off);
    CHECK(town.inside(100).empty());
    CHECK(resume_place(town.world, at("3-1"), "3-1") == Resumed::tried_anew);
    town.settle();
    CHECK(town.inside(100) == Ids{"usbhost3-1"});
}

TEST_CASE("six replugs in 30 s are normal, and quiet releases what was held off") {
    Town town;
    town.local("3-1").vm(100).rules(100, "3-1");
    town.settle();
    town.now += FlapGuard::window + seconds(1);
    for (unsigned i = 0; i < History::normal_replugs; ++i)
        town.replug_device("3-1");
    town.settle();
    CHECK(town.inside(100) == Ids{"usbhost3-1"});
    town.replug_device("3-1");
    town.settle();
    CHECK(town.outcome("3-1").state == DeviceState::held_off);
    REQUIRE(town.plan().wake);
    town.now = *town.plan().wake;
    town.settle();
    CHECK(town.inside(100) == Ids{"usbhost3-1"});
}

TEST_CASE("a quiesced VM gives everything back, and gets it again on release") {
    Town town;
    town.pi("workbench").device("workbench/1-1").local("3-1").vm(100).rules(100, "workbench\n3-1");
    town.settle();
    REQUIRE(town.inside(100).size() == 2);
    CHECK(plugged_in(town.world, 100).size() == 2);
    quiesce_vm(town.world, 100);
    town.settle();
    CHECK(town.inside(100).empty());
    CHECK(plugged_in(town.world, 100).empty());
    CHECK(town.imported().empty());
    CHECK(town.outcome("3-1").why.find("which is quiesced") != std::string::npos);
    release_vm(town.world, 100);
    town.settle();
    CHECK(town.inside(100) == Ids{"usbhost-workbench-1-1", "usbhost3-1"});
}

TEST_CASE("a controller is added only where host.yaml says so, and once") {
    Town town;
    town.local("3-1").vm_without_xhci(100).rules(100, "3-1");
    town.settle();
    CHECK(town.outcome("3-1").why.find("longcord vm prepare 100") != std::string::npos);
    town.world.hot_add = true;
    SUBCASE("and then it is used") {
        town.settle();
        CHECK(town.done[town.done.size() - 1] == "plug 3-1 into VM 100 (longcord.0 port 15)");
    }
    SUBCASE("where QEMU refuses it, that is said, and it is tried again later") {
        town.refuse = [](const Action& action) -> Result<> {
            if (std::holds_alternative<AddController>(action))
                return fail(ErrorKind::system, "QEMU says: Bus 'pci.1' not found");
            return {};
        };
        town.settle();
        CHECK(town.outcome("3-1").why.find("Bus 'pci.1' not found") != std::string::npos);
        CHECK(town.plan().wake.has_value());
    }
}

TEST_CASE("a controller that Proxmox takes away is noticed, and its devices go elsewhere") {
    Town town;
    town.local("3-1").vm(100).rules(100, "3-1");
    town.controllers(
        100, {{"spare", "qemu-xhci", "spare.0", 15}, {"xhci", "qemu-xhci", "xhci.0", 15}});
    town.settle();
    REQUIRE(town.done.back() == "plug 3-1 into VM 100 (xhci.0 port 15)");
    town.somebody_removes(100, "usbhost3-1"); // with the controller, which tells as a closed node
    SUBCASE("to another controller") {
        town.controllers(100, {{"spare", "qemu-xhci", "spare.0", 15}});
        town.settle();
        CHECK(town.done.back() == "plug 3-1 into VM 100 (spare.0 port 15)");
    }
    SUBCASE("or it is said what to do") {
        town.controllers(100, {});
        town.settle();
        CHECK(town.outcome("3-1").why.find("longcord vm prepare 100") != std::string::npos);
        town.controllers(100, {{"xhci", "qemu-xhci", "xhci.0", 15}});
        town.settle();
        CHECK(town.inside(100) == Ids{"usbhost3-1"});
    }
}

TEST_CASE("all vhci ports taken: it is said by whom, and the next free one is taken") {
    Town town;
    town.pi("attic").vm(100).rules(100, "attic");
    town.controllers(100, {{"xhci", "qemu-xhci", "xhci.0", 15}});
    for (unsigned port = 1; port <= 9; ++port)
        town.device("attic/1-" + std::to_string(port));
    town.settle();
    REQUIRE(town.imported().size() == 8);
    CHECK(town.outcome("attic/1-9").state == DeviceState::refused);
    CHECK(town.outcome("attic/1-9")
              .why.starts_with("all 8 vhci ports of its speed are taken by attic/1-1, "));
    town.unplug_device("attic/1-3");
    town.settle();
    CHECK(town.inside(100).size() == 8);
    CHECK(town.outcome("attic/1-9").state == DeviceState::plugged);
}

TEST_CASE("resume finds a place whose device is gone, by what else is on its bus") {
    Town town;
    town.local("3-1").local("3-2").vm(100).rules(100, "3-1");
    town.world.local[at("3-1")].device.controller = "pci-0000:00:14.0";
    town.world.local[at("3-2")].device.controller = "pci-0000:00:14.0";
    REQUIRE(detach_by_hand(town.world, at("3-1")).has_value());
    REQUIRE(town.world.by_hand.contains("pci-0000:00:14.0/1"));
    SUBCASE("there is another device") {
        town.world.local.erase(at("3-1"));
        CHECK(resume_place(town.world, at("3-1"), "3-1") == Resumed::by_rules);
        CHECK(town.world.by_hand.empty());
    }
    SUBCASE("nothing tells the controller: then the person is to say it") {
        town.world.local.clear();
        CHECK(resume_place(town.world, at("3-1"), "3-1") == Resumed::nothing);
        CHECK(by_hand_at_port(town.world, at("3-1")) == Ids{"pci-0000:00:14.0/1"});
        CHECK(by_hand_at_port(town.world, at("3-1.1")).empty());
        CHECK(by_hand_at_port(town.world, at("workbench/3-1")).empty());
        CHECK(resume_place(town.world, std::nullopt, "pci-0000:00:14.0/1") == Resumed::by_rules);
    }
}

TEST_CASE("what was done on another node means no port of this one, but a Pi's everywhere") {
    Town town;
    town.pi("workbench").device("workbench/1-1").local("3-1").vm(100);
    town.rules(100, "workbench\n3-1");
    auto& theirs = town.world.intents[101].detached;
    theirs.insert(*stable_name(town.world, at("workbench/1-1")));
    theirs.insert(*stable_name(town.world, at("3-1")));
    SUBCASE("the VM is on another node") {
        town.world.vms_elsewhere.insert(101);
        index_by_hand(town.world);
        town.settle();
        CHECK(town.inside(100) == Ids{"usbhost3-1"});
        const auto told = decided_here(town.world, at("workbench/1-1"), "workbench/1-1");
        REQUIRE_FALSE(told.has_value());
        CHECK(told.error().message.find("VM 101, which is on another node") != std::string::npos);
        CHECK(decided_here(town.world, at("3-1"), "3-1").has_value());
    }
    SUBCASE("it is on this node, running or not") {
        index_by_hand(town.world);
        town.settle();
        CHECK(town.inside(100).empty());
        CHECK(decided_here(town.world, at("workbench/1-1"), "workbench/1-1").has_value());
    }
    SUBCASE("it was destroyed") {
        town.world.vms_nowhere.insert(101);
        index_by_hand(town.world);
        town.settle();
        CHECK(town.inside(100) == Ids{"usbhost-workbench-1-1", "usbhost3-1"});
    }
}
