// SPDX-License-Identifier: MIT
#include "devices.hpp"
#include "pi/export_plan.hpp"
#include "pi/ports_to_claim.hpp"

#include <doctest/doctest.h>

using namespace longcord;
using namespace longcord::testing;
using Busids = std::set<std::string>;

namespace {

constexpr const char* xhci = "platform-fe9c0000.xhci";

/// Four ports on the root hub, four on a hub at 1-1.
std::vector<UsbPort> two_hubs() {
    std::vector<UsbPort> ports;
    for (const char* busid : {"1-1", "1-2", "1-3", "1-4", "1-1.1", "1-1.2", "1-1.3", "1-1.4"})
        ports.push_back({Place::parse(busid).value(), xhci});
    return ports;
}

struct Machine {
    ExportState state;
    ExportConfig config;
    Modes modes;

    Machine() {
        auto hub = acm_board("1-1");
        hub.device.device_class = {9, 0, 1};
        hub.device.interfaces = {{9, 0, 0}};
        sees(hub);
    }
    void sees(const LocalDevice& local, Sight sight = Sight::event) {
        observe(state, local.device.place.busid(), local, sight, TimePoint{});
    }
    void loses(const std::string& busid) {
        observe(state, busid, fail(ErrorKind::not_found, "gone"), Sight::event, TimePoint{});
    }
    void exports(const LocalDevice& local) {
        sees(local);
        sees(bound(local), Sight::after_bind);
    }
    Busids claimed() const { return ports_to_claim(two_hubs(), state, config, modes); }
};

} // namespace

TEST_CASE("no port is claimed where nothing was ever exported and nothing is set") {
    const Machine pi;
    CHECK(pi.claimed().empty());
    CHECK_FALSE(may_claim(pi.state, pi.config, pi.modes));
}

TEST_CASE("the port of an exported device is claimed once it is unplugged, not before") {
    Machine pi;
    pi.exports(cp210x_stick("1-1.2"));
    CHECK(pi.claimed().empty()); // usbip-host has claimed it
    pi.loses("1-1.2");
    CHECK(pi.claimed() == Busids{"1-1.2"});
    CHECK(may_claim(pi.state, pi.config, pi.modes));
    pi.sees(cp210x_stick("1-1.2"));
    CHECK(pi.claimed().empty());
}

TEST_CASE("a device that would be exported no more leaves no claim behind") {
    Machine pi;
    pi.exports(cp210x_stick("1-1.2"));
    pi.loses("1-1.2");
    SUBCASE("its driver is not exported now") {
        pi.config.drivers = {"cdc_acm"};
    }
    SUBCASE("it is never exported now") {
        pi.config.never.ids = {{0x10c4, 0xea60}};
    }
    SUBCASE("its place is never exported now") {
        pi.config.never.places = {Place::parse("1-1").value()};
    }
    SUBCASE("its place is off") {
        pi.modes.places[{xhci, PortPath::parse("1.2").value()}] = DeviceMode::off;
    }
    SUBCASE("its place is served as serial port") {
        pi.modes.places[{xhci, PortPath::parse("1").value()}] = DeviceMode::serial;
    }
    SUBCASE("it was disconnected by hand") {
        pi.modes.paused.insert({xhci, PortPath::parse("1.2").value()});
    }
    SUBCASE("this kind of device is off") {
        pi.modes.devices[{{0x10c4, 0xea60}, ""}] = DeviceMode::off;
    }
    CHECK(pi.claimed().empty());
}

TEST_CASE("who was bound before we came is no promise of what comes next") {
    Machine pi;
    pi.sees(bound(cp210x_stick("1-2")), Sight::at_start);
    pi.loses("1-2");
    CHECK(pi.claimed().empty());
}

TEST_CASE("a place whose mode is usbip is claimed with all below it, as long as it is empty") {
    Machine pi;
    pi.modes.places[{xhci, PortPath::parse("1").value()}] = DeviceMode::usbip;
    CHECK(pi.claimed() == Busids{"1-1.1", "1-1.2", "1-1.3", "1-1.4"}); // a hub is at 1-1
    pi.modes.places[{xhci, PortPath::parse("1.3").value()}] = DeviceMode::off;
    CHECK(pi.claimed() == Busids{"1-1.1", "1-1.2", "1-1.4"});
    pi.modes.places[{"platform-other.xhci", PortPath::parse("4").value()}] = DeviceMode::usbip;
    CHECK_FALSE(pi.claimed().contains("1-4"));
}

TEST_CASE("so is a place that pi.yaml exports") {
    Machine pi;
    pi.config.places = {Place::parse("1-3").value()};
    CHECK(pi.claimed() == Busids{"1-3"});
}

// What the plan does with who comes to a claimed port.

namespace {

LocalDevice unconfigured(LocalDevice local) {
    local.configuration = 0;
    local.drivers.clear();
    return local;
}

ExportPlan plan_of_held(Machine& pi, const LocalDevice& local) {
    observe(pi.state, local.device.place.busid(), local, Sight::event, TimePoint{}, true);
    return plan_exports(pi.state, pi.config, pi.modes, TimePoint{});
}

} // namespace

TEST_CASE("the same kind of device as was here is bound at once, its drivers never asked") {
    Machine pi;
    pi.exports(cp210x_stick("1-2"));
    pi.loses("1-2");
    const auto plan = plan_of_held(pi, with_devnum(unconfigured(cp210x_stick("1-2")), 9));
    CHECK(plan.bind == std::vector<std::string>{"1-2"});
    CHECK(plan.give_back.empty());
    CHECK(plan.judgements.at("1-2").why == "its driver cp210x is exported");
}

TEST_CASE("and stays bound, though its drivers were never asked, the third time too") {
    Machine pi;
    pi.exports(cp210x_stick("1-2"));
    for (const unsigned devnum : {9U, 10U}) {
        pi.loses("1-2");
        const auto stick = with_devnum(unconfigured(cp210x_stick("1-2")), devnum);
        REQUIRE(plan_of_held(pi, stick).bind == std::vector<std::string>{"1-2"});
        pi.sees(bound(stick), Sight::after_bind);
        const auto plan = plan_exports(pi.state, pi.config, pi.modes, TimePoint{});
        CHECK(plan.unbind.empty());
        CHECK(plan.announce.size() == 1);
        CHECK(plan.judgements.at("1-2").why == "its driver cp210x is exported");
    }
}

TEST_CASE("the nodes are told of it while it is being bound, once") {
    Machine pi;
    pi.exports(cp210x_stick("1-2"));
    pi.loses("1-2");
    const auto stick = with_devnum(unconfigured(cp210x_stick("1-2")), 9);
    const auto plan = plan_of_held(pi, stick);
    REQUIRE(plan.announce.size() == 1);
    pi.state.announced["1-2"] = plan.announce.front();
    pi.state.busy.insert("1-2");
    pi.state.binding.insert("1-2");
    const auto meanwhile = plan_exports(pi.state, pi.config, pi.modes, TimePoint{});
    CHECK((meanwhile.announce.empty() && meanwhile.withdraw.empty() && meanwhile.bind.empty()));
    pi.sees(bound(stick), Sight::after_bind);
    pi.state.busy.clear();
    pi.state.binding.clear();
    const auto after = plan_exports(pi.state, pi.config, pi.modes, TimePoint{});
    CHECK((after.announce.empty() && after.withdraw.empty() && after.bind.empty()));
}

TEST_CASE(
    "one whose bind failed is there no more, and the next time it is told of when it is bound") {
    Machine pi;
    pi.exports(cp210x_stick("1-2"));
    pi.loses("1-2");
    const auto stick = with_devnum(unconfigured(cp210x_stick("1-2")), 9);
    pi.state.announced["1-2"] = plan_of_held(pi, stick).announce.at(0);
    note_failure(pi.state, "1-2", "no such device", TimePoint{});
    const auto plan = plan_exports(pi.state, pi.config, pi.modes, TimePoint{});
    CHECK(plan.withdraw == std::vector<std::string>{"1-2"});
    pi.state.announced.clear();
    const auto again = plan_exports(pi.state, pi.config, pi.modes, plan.look_again.value());
    CHECK(again.bind == std::vector<std::string>{"1-2"});
    CHECK(again.announce.empty());
    pi.sees(bound(stick), Sight::after_bind);
    CHECK(plan_exports(pi.state, pi.config, pi.modes, *plan.look_again).announce.size() == 1);
}

TEST_CASE("another kind of device is let to its own drivers first, and judged as any other") {
    Machine pi;
    pi.exports(cp210x_stick("1-2"));
    pi.loses("1-2");
    auto adapter = unconfigured(cp210x_stick("1-2")); // vendor class, like most Ethernet adapters
    adapter.device.id = {0x0b95, 0x1790};
    const auto plan = plan_of_held(pi, adapter);
    CHECK(plan.bind.empty());
    CHECK(plan.give_back == std::vector<std::string>{"1-2"});
    CHECK(plan.announce.empty());
    CHECK((plan.judgements.at("1-2").kind == Judgement::Kind::not_yet));
    adapter.configuration = 1;
    adapter.drivers = {"ax88179_178a"};
    adapter.networks = {"eth1"};
    pi.sees(adapter, Sight::given_back);
    const auto after = plan_exports(pi.state, pi.config, pi.modes, TimePoint{});
    CHECK(after.give_back.empty());
    CHECK(after.bind.empty());
    CHECK(after.judgements.at("1-2").why == "it is a network adapter");
}

TEST_CASE("at a place whose mode is usbip, standard classes need no driver; others do") {
    Machine pi;
    pi.modes.places[{"", PortPath::parse("2").value()}] =
        DeviceMode::usbip; // of the test's devices
    const auto fate = [&](const LocalDevice& local) {
        const auto plan = plan_of_held(pi, local);
        pi.loses("1-2");
        return plan.bind.empty() ? "given back" : "bound";
    };
    CHECK(fate(unconfigured(acm_board("1-2"))) == std::string("bound"));
    CHECK(fate(unconfigured(keyboard("1-2"))) == std::string("bound"));
    CHECK(fate(unconfigured(cp210x_stick("1-2"))) == std::string("given back"));
    auto ethernet = unconfigured(acm_board("1-2"));
    ethernet.device.interfaces = {{2, 6, 0}, {10, 0, 0}};
    CHECK(fate(ethernet) == std::string("given back"));
    auto hub = unconfigured(acm_board("1-2"));
    hub.device.device_class = {9, 0, 1};
    hub.device.interfaces = {{9, 0, 0}};
    CHECK(fate(hub) == std::string("given back"));
    auto bluetooth = unconfigured(acm_board("1-2"));
    bluetooth.device.interfaces = {{0xe0, 1, 1}};
    CHECK(fate(bluetooth) == std::string("given back"));
    auto nothing = unconfigured(acm_board("1-2"));
    nothing.device.interfaces.clear();
    CHECK(fate(nothing) == std::string("given back"));
}

TEST_CASE("one that was given back has all its time to find its drivers") {
    Machine pi;
    auto stick = unconfigured(cp210x_stick("1-2"));
    observe(pi.state, "1-2", stick, Sight::event, TimePoint{}, true);
    stick.configuration = 1;
    stick.driverless = 1;
    const auto later = TimePoint{} + settling_time;
    observe(pi.state, "1-2", stick, Sight::given_back, later);
    pi.config.ids = {stick.device.id};
    CHECK(
        (plan_exports(pi.state, pi.config, pi.modes, later).judgements.at("1-2").kind ==
         Judgement::Kind::not_yet));
}

TEST_CASE("a give-back that failed is tried again later, not at once") {
    Machine pi;
    auto stick = unconfigured(cp210x_stick("1-2"));
    CHECK(plan_of_held(pi, stick).give_back.size() == 1);
    note_failure(pi.state, "1-2", "no such device", TimePoint{});
    const auto plan = plan_exports(pi.state, pi.config, pi.modes, TimePoint{});
    CHECK(plan.give_back.empty());
    REQUIRE(plan.look_again.has_value());
    CHECK(plan_exports(pi.state, pi.config, pi.modes, *plan.look_again).give_back.size() == 1);
}

TEST_CASE("ports are read again where something went, ports came or a setting changed, and not for "
          "each step of a plug") {
    Machine pi;
    ClaimNews news;
    const auto any = [&] { return news.take(pi.state, pi.config, pi.modes); };
    CHECK(any()); // what the service before this one left
    CHECK_FALSE(any());
    SUBCASE("a board comes, is exported, and goes") {
        pi.exports(acm_board("1-2"));
        CHECK_FALSE(any());
        pi.loses("1-2");
        CHECK(any());
        CHECK_FALSE(any());
    }
    SUBCASE("one goes while another comes") {
        pi.exports(acm_board("1-2"));
        CHECK_FALSE(any());
        pi.loses("1-2");
        pi.exports(acm_board("1-3"));
        CHECK(any());
    }
    SUBCASE("a hub comes, or the first device of a bus") {
        auto hub = acm_board("1-4");
        hub.device.device_class = {9, 0, 1};
        pi.sees(hub);
        CHECK(any());
        pi.sees(acm_board("3-1"));
        CHECK(any());
        pi.sees(acm_board("3-2"));
        CHECK_FALSE(any());
    }
    SUBCASE("settings") {
        pi.config.places = {Place::parse("1-2").value()};
        CHECK(any());
        pi.modes.places[{xhci, PortPath::parse("3").value()}] = DeviceMode::usbip;
        CHECK(any());
        CHECK_FALSE(any());
    }
}
