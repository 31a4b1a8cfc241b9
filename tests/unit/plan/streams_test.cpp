// SPDX-License-Identifier: MIT
// Streams and who holds them: devices that another node has, streams that our own process carries,
// and servers that nobody speaks for.
#include "plan/vhci_ports.hpp"
#include "town.hpp"

using namespace longcord;
using namespace longcord::test;

static Place at(const std::string& text) {
    return Place::parse(text).value();
}

TEST_CASE(
    "a device that another node has is waited for without asking again, until it is available") {
    Town town;
    town.pi("workbench").device("workbench/1-1").vm(100).rules(100, "workbench");
    pi_busy(town.world, at("workbench/1-1"), "pve2 has it for VM 101");
    town.settle();
    CHECK(town.imported().empty());
    CHECK(town.outcome("workbench/1-1").state == DeviceState::waiting);
    CHECK(town.outcome("workbench/1-1").why == "pve2 has it for VM 101");
    CHECK(town.plan().wake == std::nullopt);
    pi_available(town.world, at("workbench/1-1"));
    town.settle();
    CHECK(town.inside(100).size() == 1);
}

TEST_CASE("available forgives the attempt that was answered busy: nothing is waited out") {
    Town town;
    town.pi("workbench").device("workbench/1-1").vm(100).rules(100, "workbench");
    town.refuse = [&](const Action& action) -> Result<> {
        if (!std::holds_alternative<ImportDevice>(action))
            return {};
        pi_busy(town.world, at("workbench/1-1"), "pve2 has it");
        return fail(ErrorKind::busy, "pve2 has it");
    };
    town.settle();
    CHECK(town.imported().empty());
    town.refuse = nullptr;
    pi_available(town.world, at("workbench/1-1"));
    CHECK(town.planned().size() == 1);
}

TEST_CASE("available, said of what nobody waits for, changes nothing") {
    Town town;
    town.pi("workbench").device("workbench/1-1").vm(100).rules(100, "workbench");
    town.refuse = [](const Action&) { return Result<>(fail(ErrorKind::unavailable, "no")); };
    town.settle();
    const auto planned = town.planned();
    pi_available(town.world, at("workbench/1-1"));
    pi_available(town.world, at("unknown/1-1"));
    CHECK(town.planned() == planned);
}

TEST_CASE("a new link asks again: the Pi says busy once more, should it still be so") {
    Town town;
    town.pi("workbench").device("workbench/1-1").vm(100).rules(100, "workbench");
    pi_busy(town.world, at("workbench/1-1"), "pve2 has it");
    town.pi("workbench").device("workbench/1-1");
    town.settle();
    CHECK(town.inside(100).size() == 1);
}

TEST_CASE("busy was said of a device: one that is plugged anew is asked for") {
    Town town;
    town.pi("workbench").device("workbench/1-1").vm(100).rules(100, "workbench");
    town.apply(LookAtVm{100});
    pi_busy(town.world, Place::parse("workbench/1-1").value(), "pve2 has it");
    REQUIRE(town.planned().empty());
    town.replug_device("workbench/1-1");
    CHECK(town.planned().size() == 1);
}

TEST_CASE("what is plugged here is not lost because its Pi says busy to somebody's question") {
    Town town;
    town.pi("workbench").device("workbench/1-1").vm(100).rules(100, "workbench");
    town.settle();
    pi_busy(town.world, at("workbench/1-1"), "pve2 has it");
    CHECK(town.planned().empty());
}

TEST_CASE("a Pi's silence ends the streams that our own process carries, and no others") {
    for (const auto engine : {SealEngine::user, SealEngine::kernel})
        for (const bool silent : {true, false}) {
            Town town;
            town.pi("workbench").device("workbench/1-1").vm(100).rules(100, "workbench");
            town.settle();
            town.world.imports.begin()->second.engine = engine;
            pi_unlinked(town.world, "workbench", silent);
            CAPTURE(silent);
            if (engine == SealEngine::user && silent)
                CHECK(
                    town.planned() ==
                    std::vector<std::string>{
                        "detach workbench/1-1 from vhci port 0: its Pi is silent"});
            else
                CHECK(town.planned().empty());
        }
}

TEST_CASE("of a stream's end QEMU is told when the kernel has removed the device, and not before") {
    Town town;
    town.pi("workbench").device("workbench/1-1").vm(100).rules(100, "workbench");
    town.settle();
    const LocalDevice left = town.stream_ends("workbench/1-1").value();
    CHECK(town.planned().empty());
    CHECK(town.outcome("workbench/1-1").state == DeviceState::leaving);
    CHECK(town.outcome("workbench/1-1").why == "the kernel is removing it");
    SUBCASE("its Pi says meanwhile that it is gone") {
        town.unplug_device("workbench/1-1");
        CHECK(town.planned().empty());
    }
    SUBCASE("its Pi has it anew meanwhile") {
        town.replug_device("workbench/1-1");
        CHECK(town.planned().empty());
    }
    SUBCASE("its Pi falls silent meanwhile") {
        pi_unlinked(town.world, "workbench", true);
        CHECK(town.planned().empty());
    }
    device_gone(town.world, left.sysfs_path, left.device.devnum);
    CHECK(town.planned() == std::vector<std::string>{"unplug workbench/1-1 from VM 100"});
    town.done.clear();
    town.settle();
    CHECK(town.done == std::vector<std::string>{"unplug workbench/1-1 from VM 100"}); // no detach
}

TEST_CASE("nor is QEMU told after a detach before the kernel has removed the device") {
    Town town;
    town.pi("workbench").device("workbench/1-1").vm(100).rules(100, "workbench");
    town.settle();
    town.unplug_device("workbench/1-1"); // and its stream hangs
    const auto actions = town.plan().actions;
    REQUIRE(actions.size() == 1);
    REQUIRE(std::holds_alternative<DetachImport>(actions[0]));
    action_started(town.world, actions[0]);
    const LocalDevice left = town.stream_ends("workbench/1-1").value();
    action_ended(town.world, actions[0], {}, town.now);
    CHECK(town.planned().empty());
    device_gone(town.world, left.sysfs_path, left.device.devnum);
    CHECK(town.planned() == std::vector<std::string>{"unplug workbench/1-1 from VM 100"});
}

TEST_CASE("where events were lost, what came to its place since does not stand for what has gone") {
    Town town;
    town.pi("workbench").device("workbench/1-1").vm(100).rules(100, "workbench");
    town.settle();
    LocalDevice other = town.stream_ends("workbench/1-1").value();
    devices_listed(town.world, {other}, town.now);
    CHECK(town.planned().empty());
    ++other.device.devnum;
    devices_listed(town.world, {other}, town.now);
    CHECK(town.planned() == std::vector<std::string>{"unplug workbench/1-1 from VM 100"});
}

TEST_CASE("a port whose device the kernel is removing is nobody else's yet") {
    Town town;
    town.vhci_controllers(1)
        .pi("workbench")
        .device("workbench/1-1")
        .vm(100)
        .rules(100, "workbench");
    town.settle();
    const LocalDevice left = town.stream_ends("workbench/1-1").value();
    CHECK(vhci_listed(town.world, town.world.vhci, town.now).empty());
    CHECK(vhci_ports_taken(town.world).contains(0));
    device_gone(town.world, left.sysfs_path, left.device.devnum);
    const auto freed = vhci_listed(town.world, town.world.vhci, town.now);
    REQUIRE(freed.size() == 1);
    CHECK(freed[0].place == at("workbench/1-1"));
    CHECK_FALSE(vhci_ports_taken(town.world).contains(0));
}

TEST_CASE("from a plain server nobody says that the stream still flows: vhci lets go first") {
    Town town;
    town.pi("bench").device("bench/1-1").vm(100).rules(100, "bench");
    town.world.pis["bench"].plain = true;
    town.settle();
    REQUIRE(town.inside(100).size() == 1);
    town.done.clear();
    town.rules(100, "3-1");
    town.settle();
    REQUIRE(town.done.size() == 2);
    CHECK(town.done[0].starts_with("detach bench/1-1"));
    CHECK(town.done[1].starts_with("unplug bench/1-1"));
}

TEST_CASE("an import says for which VM it is, and whether the server is a plain one") {
    Town town;
    town.pi("bench").device("bench/1-1").vm(100).rules(100, "bench");
    town.world.pis["bench"].plain = true;
    bool seen = false;
    town.refuse = [&](const Action& action) -> Result<> {
        if (const auto* import = std::get_if<ImportDevice>(&action)) {
            seen = true;
            CHECK(import->vmid == 100);
            CHECK(import->plain);
        }
        return {};
    };
    town.settle();
    CHECK(seen);
}

TEST_CASE(
    "a guest that selects another configuration gets its interfaces, and is plugged once more") {
    Town town;
    town.pi("workbench").device("workbench/1-1").vm(100).rules(100, "workbench/1-1");
    town.settle();
    auto& import = town.world.imports.begin()->second;
    LocalDevice seen = *import.local;
    seen.authorized = true;
    seen.configuration = 1;
    device_seen(town.world, seen, town.now);
    CHECK(town.planned().empty());
    seen.configuration = 2;
    SUBCASE("unless they were authorised as they were made") {
        seen.interfaces_authorized = true;
        device_seen(town.world, seen, town.now);
        CHECK(town.planned().empty());
        CHECK(import.guest_configuration == 2); // for the next time
        return;
    }
    device_seen(town.world, seen, town.now); // before there are any
    CHECK(town.planned().empty());
    seen.interfaces_authorized = false;
    device_seen(town.world, seen, town.now);
    town.done.clear();
    std::optional<unsigned> configuration;
    town.refuse = [&](const Action& action) -> Result<> {
        if (const auto* authorize = std::get_if<AuthorizeImport>(&action))
            configuration = authorize->configuration;
        return {};
    };
    town.settle();
    REQUIRE(town.done.size() == 3);
    CHECK(town.done[0].starts_with("unplug workbench/1-1"));
    CHECK(town.done[1].starts_with("authorise"));
    CHECK(town.done[2].starts_with("plug workbench/1-1"));
    CHECK(configuration == 2);
    // The guest selects it again, and that is that.
    seen = *town.world.imports.begin()->second.local;
    seen.authorized = true;
    seen.configuration = 2;
    device_seen(town.world, seen, town.now);
    CHECK(town.planned().empty());
}

TEST_CASE("what was read of a device before its authorisation ended says nothing of it after") {
    Town town;
    town.pi("workbench").device("workbench/1-1").vm(100).rules(100, "workbench/1-1");
    const TimePoint before = town.now;
    town.now += seconds(1);
    town.settle();
    const LocalDevice& seen = *town.world.imports.begin()->second.local;
    CHECK(is_out_of_date(town.world, seen, before));
    CHECK_FALSE(is_out_of_date(town.world, seen, town.now));
    LocalDevice other = seen;
    other.sysfs_path = "5-2";
    CHECK_FALSE(is_out_of_date(town.world, other, before));
}

TEST_CASE(
    "before that it is the rule's configuration, the first for Windows, or the kernel's choice") {
    const auto asked = [](const std::string& ostype, const std::string& rule, std::uint8_t count) {
        Town town;
        town.pi("workbench").device("workbench/1-1", "1a86:55d4", "", count).vm(100);
        town.rules(100, rule).world.vms[100].ostype = ostype;
        std::optional<std::optional<unsigned>> configuration;
        town.refuse = [&](const Action& action) -> Result<> {
            if (const auto* authorize = std::get_if<AuthorizeImport>(&action))
                configuration = authorize->configuration;
            return {};
        };
        town.settle();
        REQUIRE(configuration.has_value());
        return *configuration;
    };
    CHECK(asked("win11", "workbench", 2) == 1u);
    CHECK(asked("win11", "workbench", 1) == std::nullopt);
    CHECK(asked("l26", "workbench", 2) == std::nullopt);
    CHECK(asked("win11", "workbench config=2", 2) == 2u);
}
