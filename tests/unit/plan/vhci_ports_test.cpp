// SPDX-License-Identifier: MIT
// Which vhci port an import gets, and that a device which answers nothing delays nobody for long.
#include "plan/vhci_ports.hpp"
#include "town.hpp"

using namespace longcord;
using namespace longcord::test;

namespace {

Place at(const std::string& text) {
    return Place::parse(text).value();
}

unsigned port_of(const Town& town, const std::string& place) {
    for (const auto& [port, import] : town.world.imports)
        if (import.place == at(place))
            return port;
    FAIL("not imported: " << place);
    return 0;
}

unsigned controller_of(const Town& town, const std::string& place) {
    return port_of(town, place) / 16;
}

std::optional<unsigned> choice(const Town& town, const std::string& place, bool super = false) {
    return choose_vhci_port(town.world, at(place), super, vhci_ports_taken(town.world));
}

} // namespace

TEST_CASE("a port is chosen from the range of its speed, and none from a full one") {
    Town town;
    town.pi("a").device("a/1-1").vm(100).rules(100, "");
    CHECK(choice(town, "a/1-1") == 0);
    CHECK(choice(town, "a/1-1", true) == 8);
    TakenVhciPorts taken;
    for (unsigned port = 0; port < 8; ++port)
        taken[port] = at("a/1-9");
    CHECK(choose_vhci_port(town.world, at("a/1-1"), false, taken) == std::nullopt);
    CHECK(choose_vhci_port(town.world, at("a/1-1"), true, taken) == 8);
    for (unsigned port = 0; port < 8; ++port)
        town.world.vhci[port].state = VhciPort::State::not_ready;
    CHECK(choice(town, "a/1-1") == std::nullopt);
}

TEST_CASE("the pinned port is taken where it is free") {
    Town town;
    town.pi("a").device("a/1-1").vm(100).rules(100, "");
    town.world.vhci_pins["a/1-1"] = 5;
    CHECK(choice(town, "a/1-1") == 5);
    town.world.vhci[5].state = VhciPort::State::used;
    CHECK(choice(town, "a/1-1") == 0);
    town.world.vhci_pins["a/1-1"] = 99;
    CHECK(choice(town, "a/1-1") == 0);
}

TEST_CASE("where there are several controllers, no Pi is on another's") {
    Town town;
    town.vhci_controllers(8).pi("a").pi("b").vm(100).rules(100, "a\nb");
    for (const char* place : {"a/1-1", "a/1-2", "a/1-3", "b/1-1", "b/1-2"})
        town.device(place);
    town.settle();
    std::set<unsigned> of_a;
    for (const char* place : {"a/1-1", "a/1-2", "a/1-3"})
        of_a.insert(controller_of(town, place));
    for (const char* place : {"b/1-1", "b/1-2"})
        CHECK_FALSE(of_a.contains(controller_of(town, place)));
    CHECK(of_a.size() == 2); // its share of 8, were there a third
    SUBCASE("and a pinned port on what is another Pi's controller by now is not insisted on") {
        town.world.vhci_pins["b/1-3"] = 16 * *of_a.begin() + 7;
        CHECK_FALSE(of_a.contains(*choice(town, "b/1-3") / 16));
    }
}

TEST_CASE("a Pi that is alone has every controller: each enumerates one device after the other") {
    Town town;
    town.vhci_controllers(8).pi("a").vm(100).rules(100, "a");
    std::set<unsigned> used;
    const std::vector<std::string> places = {"a/1-1", "a/1-2", "a/1-3", "a/1-4",
                                             "a/2-1", "a/2-2", "a/2-3", "a/2-4"};
    for (const auto& place : places)
        town.device(place);
    town.settle();
    for (const auto& place : places)
        used.insert(controller_of(town, place));
    CHECK(used.size() == 8);
}

TEST_CASE("one controller is shared by all, and every port of it is used") {
    Town town;
    town.pi("a").pi("b").vm(100).rules(100, "a\nb");
    for (const char* place :
         {"a/1-1", "a/1-2", "a/1-3", "a/1-4", "b/1-1", "b/1-2", "b/1-3", "b/1-4"})
        town.device(place);
    town.settle();
    CHECK(town.imported().size() == 8);
}

TEST_CASE("beside a mute device nobody is called late who only waited for it") {
    Town town;
    town.pi("a").pi("b").vm(100).rules(100, "a\nb").device("a/1-1").device("b/1-1");
    town.mute("a/1-1").mute("b/1-1"); // b's is well, but the kernel has not come to it
    town.settle();
    REQUIRE(town.imported().size() == 2);
    auto& waiting = town.world.imports.at(port_of(town, "b/1-1"));
    waiting.since = town.now + seconds(1); // it came a second later
    town.now += seconds(3);
    town.settle();
    CHECK(town.imported() == std::vector{at("b/1-1")});
    CHECK(waiting.since == town.now); // its own 3 s begin
    town.now += seconds(3) - milliseconds(1);
    CHECK(town.outcome("b/1-1").state == DeviceState::importing);
    town.now += milliseconds(1);
    town.settle();
    CHECK(town.outcome("b/1-1").why == "the kernel did not enumerate it in 3 s");
}

TEST_CASE("mute devices of one Pi are late together") {
    Town town;
    town.pi("a").vm(100).rules(100, "a");
    for (const char* place : {"a/1-1", "a/1-2", "a/1-3"})
        town.device(place).mute(place);
    town.settle();
    REQUIRE(town.imported().size() == 3);
    town.now += seconds(3);
    town.settle();
    CHECK(town.imported().empty());
}

TEST_CASE("each device that enumerates gives those behind it 3 s of their own") {
    Town town;
    town.pi("a").vm(100).rules(100, "a").device("a/1-1").mute("a/1-1");
    town.settle();
    town.now += seconds(2);
    town.device("a/1-2");
    town.settle();
    town.now += seconds(3) - milliseconds(1);
    town.settle();
    CHECK(town.imported().size() == 2);
    town.now += milliseconds(1);
    town.settle();
    CHECK(town.imported() == std::vector{at("a/1-2")});
}

TEST_CASE("nothing is plugged while its controller is stuck: QEMU's reset would wait, and the VM "
          "with it") {
    Town town;
    town.pi("a").pi("b").vm(100).rules(100, "a\nb").device("b/1-1");
    town.settle();
    town.device("a/1-1").mute("a/1-1");
    town.settle();
    town.now += seconds(1);
    town.somebody_removes(100, town.inside(100).front());
    town.settle();
    CHECK(town.outcome("b/1-1").state == DeviceState::waiting);
    CHECK(town.outcome("b/1-1").why.find("a/1-1 on the same controller") != std::string::npos);
    CHECK(town.inside(100).empty());
    town.now += seconds(2);
    town.settle();
    CHECK(town.outcome("b/1-1").state == DeviceState::plugged);
}

TEST_CASE("a plain server's list, made again after each attempt, is no news of a mute device") {
    Town town;
    town.pi("mute").vm(100).rules(100, "mute").device("mute/1-1").mute("mute/1-1");
    town.world.pis["mute"].plain = true;
    const Device device = town.world.pis["mute"].devices.begin()->second;
    std::vector<milliseconds> pauses;
    for (int attempt = 0; attempt < 4; ++attempt) {
        town.settle();
        REQUIRE(town.imported().size() == 1);
        town.now += seconds(3);
        town.settle();
        REQUIRE(town.imported().empty());
        pi_listed(town.world, "mute", {}, town.now);
        pi_listed(town.world, "mute", {device}, town.now);
        const TimePoint ended = town.now;
        while (town.settle() == 0 && town.imported().empty())
            town.now += milliseconds(100);
        pauses.push_back(std::chrono::duration_cast<milliseconds>(town.now - ended));
    }
    CHECK(std::is_sorted(pauses.begin(), pauses.end()));
    CHECK(pauses.back() > milliseconds(1'000));
}

TEST_CASE("a port on which something is still under way is nobody else's, although it is free") {
    const auto place = at("a/1-1");
    const std::vector<Action> actions{
        DetachImport{place, 0, "its Pi is silent"}, AuthorizeImport{place, "5-1", {}, 0},
        UnplugDevice{place, 100, "usbhost-a-1-1", "5-1", 0}};
    for (const auto& action : actions) {
        CAPTURE(to_string(action));
        Town town;
        town.pi("a").device("a/1-1").pi("b").device("b/1-1").vm(100).rules(100, "a\nb");
        town.world.vhci_pins["b/1-1"] = 0;
        CHECK(choice(town, "b/1-1") == 0);
        action_started(town.world, action); // and then its stream died by itself
        CHECK(choice(town, "b/1-1") != 0);
        action_ended(town.world, action, {}, town.now);
        CHECK(choice(town, "b/1-1") == 0);
    }
}

TEST_CASE("a device on a port of ours is known once it was seen, and none that comes after it") {
    Town town;
    town.pi("a").device("a/1-1").vm(100).rules(100, "a");
    town.settle();
    const LocalDevice seen = town.world.imports.at(port_of(town, "a/1-1")).local.value();
    CHECK(is_known_import(town.world, seen));
    LocalDevice next = seen;
    ++next.device.devnum;
    CHECK_FALSE(is_known_import(town.world, next));
    device_gone(town.world, seen.sysfs_path);
    CHECK_FALSE(is_known_import(town.world, seen));
}

TEST_CASE("a port that somebody else has taken meanwhile is not touched") {
    Town town;
    town.pi("a").device("a/1-1").vm(100).rules(100, "a");
    town.settle();
    REQUIRE(port_of(town, "a/1-1") == 0);
    auto table = town.world.vhci;
    table[0].devid = 9U << 16 | 9U; // freed and attached again between two looks
    const auto freed = vhci_listed(town.world, table, town.now);
    REQUIRE(freed.size() == 1);
    CHECK(freed[0].port == 0);
    CHECK(town.world.imports.empty());
    for (const auto& action : town.plan().actions)
        CHECK_FALSE(vhci_port_of(action) == 0U);
}

TEST_CASE("where vhci is full, a device that waits for it keeps no port of the guest from others") {
    Town town;
    town.pi("a").device("a/1-1").device("a/1-1.2").vm(100).rules(100, "a/1-1 port=2");
    town.apply(LookAtVm{100});
    // Both are meant by the rule, and there is one port for one of them. It has the import; the
    // other one comes first by its place.
    Import import;
    import.place = at("a/1-1.2");
    import.devid = devid_of(*town.world.announced_at(import.place));
    import.local = LocalDevice{};
    import.enumerated = import.ready = true;
    import_found(town.world, 0, import);
    for (auto& row : town.world.vhci)
        row.state = VhciPort::State::not_ready;
    const auto planned = town.planned();
    REQUIRE(planned.size() == 1);
    CHECK(planned[0] == "plug a/1-1.2 into VM 100 (xhci.0 port 2)");
}
