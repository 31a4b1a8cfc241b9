// SPDX-License-Identifier: MIT
#include "../usb/fake_sysfs.hpp"
#include "base/files.hpp"
#include "devices.hpp"
#include "pi/export_plan.hpp"
#include "pi/mode_store.hpp"
#include "pi/mode_verb.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace longcord;
using namespace longcord::testing;
using nlohmann::json;

namespace {

constexpr const char* controller = "platform-fe9c0000.xhci";

LocalDevice with_controller(LocalDevice local, std::string serial = {}) {
    local.device.controller = controller;
    local.device.serial = std::move(serial);
    return local;
}

ControllerPlace place(const std::string& path) {
    return ControllerPlace::parse(std::string(controller) + "/" + path).value();
}

Judgement verdict(const LocalDevice& local, const Modes& modes, const ExportConfig& config = {}) {
    return judge(local, config, modes, true);
}

struct Machine {
    Machine() {
        sys.controller(1, "/devices/platform/fe9c0000.xhci");
        sys.controller(2, "/devices/platform/fe9c0000.xhci");
    }
    void sees(const LocalDevice& local) {
        observe(state, local.device.place.busid(), local, Sight::event, TimePoint{});
    }
    Result<ModeChange> ask(const json& args) {
        return read_mode_change(args, sys.roots(), state, config);
    }

    FakeSysfs sys;
    ExportState state;
    ExportConfig config;
};

} // namespace

TEST_CASE("a mode goes before the drivers, in both directions") {
    const auto board = with_controller(acm_board("1-1.2"));
    const auto keys = with_controller(keyboard("1-1.3"));
    Modes modes;
    modes.places[place("1.2")] = DeviceMode::off;
    modes.places[place("1.3")] = DeviceMode::usbip;
    CHECK(verdict(board, modes).kind == Judgement::Kind::kept);
    CHECK(verdict(board, modes).why == "its mode is off");
    CHECK(verdict(keys, modes).kind == Judgement::Kind::exported);
    CHECK(verdict(keys, modes).mode == DeviceMode::usbip);
    modes.places[place("1.2")] = DeviceMode::serial;
    CHECK(verdict(board, modes).kind == Judgement::Kind::kept);
    CHECK(verdict(board, modes).mode == DeviceMode::serial);
}

TEST_CASE("without a mode the drivers decide, and it is usbip or off") {
    CHECK(verdict(acm_board("1-1.2"), {}).mode == DeviceMode::usbip);
    CHECK(verdict(keyboard("1-1.2"), {}).mode == DeviceMode::off);
}

TEST_CASE("a place covers what is below it, the longest counts, and 1.2 is not 1.20") {
    Modes modes;
    modes.places[place("1")] = DeviceMode::off;
    modes.places[place("1.2")] = DeviceMode::usbip;
    CHECK(modes.of(with_controller(acm_board("1-1.3")).device) == DeviceMode::off);
    CHECK(modes.of(with_controller(acm_board("1-1.2.4")).device) == DeviceMode::usbip);
    CHECK(modes.of(with_controller(acm_board("1-1.20")).device) == DeviceMode::off);
    CHECK_FALSE(modes.of(with_controller(acm_board("1-2")).device).has_value());
    auto elsewhere = with_controller(acm_board("1-1.2"));
    elsewhere.device.controller = "platform-other";
    CHECK_FALSE(modes.of(elsewhere.device).has_value());
}

TEST_CASE("a place counts more than an identity, a serial number more than none") {
    const auto one = with_controller(acm_board("1-1.2"), "A1").device;
    const auto other = with_controller(acm_board("1-1.3"), "B2").device;
    Modes modes;
    modes.devices[{one.id, ""}] = DeviceMode::off;
    modes.devices[{one.id, "A1"}] = DeviceMode::serial;
    CHECK(modes.of(one) == DeviceMode::serial);
    CHECK(modes.of(other) == DeviceMode::off);
    modes.places[place("1.2")] = DeviceMode::usbip;
    CHECK(modes.of(one) == DeviceMode::usbip);
}

TEST_CASE("hubs, networks and what pi.yaml forbids stay, whatever the mode says") {
    Modes modes;
    modes.places[place("1")] = DeviceMode::usbip;
    auto hub = with_controller(keyboard("1-1.2"));
    hub.device.device_class.code = class_hub;
    CHECK(verdict(hub, modes).kind == Judgement::Kind::kept);
    auto wifi = with_controller(cp210x_stick("1-1.3"));
    wifi.networks = {"phy0", "wlan1"};
    CHECK(verdict(wifi, modes).why == "it is a network adapter");
    ExportConfig config;
    config.never.places = {Place::parse("1-1.4").value()};
    CHECK(
        verdict(with_controller(acm_board("1-1.4")), modes, config).kind == Judgement::Kind::kept);
}

TEST_CASE("a device in use goes at once: it is withdrawn and unbound, and comes back") {
    ExportState state;
    const auto board = with_controller(acm_board("1-1.2"));
    observe(state, "1-1.2", board, Sight::event, TimePoint{});
    observe(state, "1-1.2", bound(board), Sight::after_bind, TimePoint{});
    state.announced["1-1.2"] = board.device;
    Modes modes;
    modes.devices[{board.device.id, ""}] = DeviceMode::serial;
    const auto plan = plan_exports(state, {}, modes, TimePoint{});
    CHECK(plan.withdraw == std::vector<std::string>{"1-1.2"});
    CHECK(plan.unbind == std::vector<std::string>{"1-1.2"});
    CHECK(plan.judgements.at("1-1.2").mode == DeviceMode::serial);
    CHECK(plan_exports(state, {}, {}, TimePoint{}).unbind.empty());
}

TEST_CASE("what was bound before the start goes too when a mode says so") {
    ExportState state;
    const auto board = bound(with_controller(cp210x_stick("1-1.2")));
    observe(state, "1-1.2", board, Sight::at_start, TimePoint{});
    Modes modes;
    modes.places[place("1.2")] = DeviceMode::off;
    CHECK(plan_exports(state, {}, modes, TimePoint{}).unbind.size() == 1);
    modes.places[place("1.2")] = DeviceMode::usbip;
    CHECK(plan_exports(state, {}, modes, TimePoint{}).announce.size() == 1);
}

TEST_CASE("modes are written and read back") {
    Modes modes;
    modes.places[place("1.2")] = DeviceMode::serial;
    modes.devices[{{0x10c4, 0xea60}, "a \"quoted\" one"}] = DeviceMode::off;
    modes.devices[{{0x10c4, 0xea60}, ""}] = DeviceMode::usbip;
    const auto read = parse_modes(format_modes(modes));
    REQUIRE(read.has_value());
    CHECK((*read == modes));
    FakeSysfs sys;
    CHECK((load_modes(sys.roots()).value() == Modes{}));
    REQUIRE(save_modes(sys.roots(), modes).has_value());
    CHECK((load_modes(sys.roots()).value() == modes));
}

TEST_CASE("a broken file is an error that names it, never half of the modes") {
    FakeSysfs sys;
    for (const char* text :
         {"", "[]", "{\"places\":7}", "{\"places\":[{\"place\":\"1-1\",\"mode\":\"off\"}]}",
          "{\"places\":[{\"place\":\"platform-x/1\",\"mode\":\"on\"}]}",
          "{\"devices\":[{\"id\":\"10c4\",\"mode\":\"off\"}]}", "{\"devices\":[7]}"}) {
        FakeSysfs::write(sys.roots().state() / "modes.json", text);
        const auto modes = load_modes(sys.roots());
        REQUIRE_MESSAGE(!modes.has_value(), text);
        CHECK(modes.error().message.find("modes.json") != std::string::npos);
    }
}

TEST_CASE("what somebody has broken is kept aside when modes are set anew") {
    FakeSysfs sys;
    const auto file = sys.roots().state() / "modes.json";
    FakeSysfs::write(file, "{\"places\": [ # mine\n");
    Modes modes;
    modes.places[place("1.2")] = DeviceMode::off;
    REQUIRE(save_modes(sys.roots(), modes).has_value());
    CHECK((load_modes(sys.roots()).value() == modes));
    CHECK(read_file(file.string() + ".broken", 1'000).value() == "{\"places\": [ # mine\n");
    REQUIRE(save_modes(sys.roots(), {}).has_value()); // a good one is replaced
    CHECK(read_file(file.string() + ".broken", 1'000).value() == "{\"places\": [ # mine\n");
}

TEST_CASE("a place is named short or by controller, and kept by controller") {
    Machine pi;
    for (const char* name : {"1-1.2", "2-1.2", "platform-fe9c0000.xhci/1.2"}) {
        const auto change = pi.ask({{"place", name}, {"mode", "off"}});
        REQUIRE_MESSAGE(change.has_value(), name);
        CHECK((std::get<ControllerPlace>(change->which) == place("1.2")));
        CHECK(change->to_json()["controller_place"] == "platform-fe9c0000.xhci/1.2");
    }
}

TEST_CASE("an identity is named by id, and by serial number") {
    Machine pi;
    const auto change = pi.ask({{"id", "10C4:EA60"}, {"serial", "0001"}, {"mode", "serial"}});
    REQUIRE(change.has_value());
    CHECK((std::get<DeviceIdentity>(change->which) == DeviceIdentity{{0x10c4, 0xea60}, "0001"}));
    CHECK(change->what == "10c4:ea60 serial=0001");
}

TEST_CASE("what makes no sense is refused in words") {
    Machine pi;
    for (const json& args :
         {json::object(), json{{"place", "1-1.2"}}, json{{"place", "1-1.2"}, {"mode", "on"}},
          json{{"mode", "off"}}, json{{"place", 7}, {"mode", "off"}},
          json{{"place", "bench/1-1"}, {"mode", "off"}}, json{{"place", "3-"}, {"mode", "off"}},
          json{{"id", "10c4"}, {"mode", "off"}}})
        CHECK_MESSAGE(pi.ask(args).error().kind == ErrorKind::invalid, args.dump());
    CHECK(pi.ask({{"place", "9-1"}, {"mode", "off"}}).error().kind == ErrorKind::not_found);
}

TEST_CASE("a hub or a network adapter is refused usbip and serial, with the reason") {
    Machine pi;
    auto wifi = with_controller(cp210x_stick("1-1.2"));
    wifi.networks = {"wlan1"};
    pi.sees(wifi);
    for (const char* mode : {"usbip", "serial"}) {
        const auto refused = pi.ask({{"place", "1-1.2"}, {"mode", mode}});
        CHECK(refused.error().kind == ErrorKind::refused);
        CHECK(refused.error().message.find("network adapter") != std::string::npos);
        CHECK_FALSE(pi.ask({{"id", "10c4:ea60"}, {"mode", mode}}).has_value());
    }
    CHECK(pi.ask({{"place", "1-1.2"}, {"mode", "off"}}).has_value());
    CHECK(pi.ask({{"place", "1-1.2"}, {"mode", "default"}}).has_value());
}

TEST_CASE("what would leave its drivers is told, so that its disks can be asked") {
    Machine pi;
    pi.sees(with_controller(keyboard("1-1.2")));
    CHECK(pi.ask({{"place", "1-1.2"}, {"mode", "usbip"}})->leaving.size() == 1);
    CHECK(pi.ask({{"place", "1-1.2"}, {"mode", "off"}})->leaving.empty());
    CHECK(pi.ask({{"place", "1-1.3"}, {"mode", "usbip"}})->leaving.empty());
}

TEST_CASE("a mode is set and taken back; 1,024 of a kind are the limit") {
    Machine pi;
    Modes modes;
    REQUIRE(apply(*pi.ask({{"place", "1-1.2"}, {"mode", "off"}}), modes).has_value());
    CHECK(modes.places.at(place("1.2")) == DeviceMode::off);
    REQUIRE(apply(*pi.ask({{"place", "1-1.2"}, {"mode", "default"}}), modes).has_value());
    CHECK((modes == Modes{}));
    for (unsigned port = 1; port <= max_modes; ++port)
        REQUIRE(apply(*pi.ask({{"place", fmt::format("1-{}", port)}, {"mode", "off"}}), modes)
                    .has_value());
    const auto full = apply(*pi.ask({{"place", "1-2000"}, {"mode", "off"}}), modes);
    CHECK(full.error().kind == ErrorKind::full);
    CHECK(apply(*pi.ask({{"place", "1-7"}, {"mode", "serial"}}), modes).has_value());
}
