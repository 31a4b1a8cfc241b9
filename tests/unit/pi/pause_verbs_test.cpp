// SPDX-License-Identifier: MIT
#include "devices.hpp"
#include "pi/pause_verbs.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace longcord;
using namespace longcord::testing;
using nlohmann::json;

namespace {

struct Pi {
    ExportState state;
    Modes modes;
    Roots roots{"/nowhere"}; // places by controller need no /sys

    void plug(const LocalDevice& local) {
        observe(state, local.device.place.busid(), local, Sight::event, TimePoint{});
    }
    std::map<std::string, Judgement> judgements() const {
        return plan_exports(state, {}, modes, TimePoint{} + settling_time).judgements;
    }
    Result<PauseChange> read(bool pause, const json& args) const {
        return read_pause_change(pause, args, roots, state, judgements(), modes);
    }
};

std::string stable(const LocalDevice& local) {
    return local.device.controller + "/" + local.device.place.path.to_string();
}

} // namespace

TEST_CASE(
    "a paused place goes to no node, whatever is plugged there, and nothing below it is meant") {
    Pi pi;
    const auto board = board_at("1-1.2");
    pi.plug(board);
    pi.plug(board_at("1-1.2.1"));
    CHECK(pi.judgements()["1-1.2"].kind == Judgement::Kind::exported);
    const auto change = pi.read(true, {{"place", stable(board)}});
    REQUIRE(change.has_value());
    CHECK(change->busids == std::vector<std::string>{"1-1.2"});
    CHECK(apply(*change, pi.modes).value());
    CHECK(pi.judgements()["1-1.2"].kind == Judgement::Kind::kept);
    CHECK(pi.judgements()["1-1.2"].mode == DeviceMode::usbip);
    CHECK(pi.judgements()["1-1.2.1"].kind == Judgement::Kind::exported);
    CHECK(!apply(*change, pi.modes).value()); // it is so already
    const auto back = pi.read(false, {{"place", stable(board)}});
    REQUIRE(back.has_value());
    CHECK(apply(*back, pi.modes).value());
    CHECK(pi.judgements()["1-1.2"].kind == Judgement::Kind::exported);
}

TEST_CASE("a device that is bound is let go") {
    Pi pi;
    pi.plug(bound(board_at("1-1.2")));
    pi.state.before["1-1.2"] = ExportedBefore{bound(board_at("1-1.2")), true};
    pi.modes.paused.insert(*ControllerPlace::parse(stable(board_at("1-1.2"))));
    const auto plan = plan_exports(pi.state, {}, pi.modes, TimePoint{});
    CHECK(plan.unbind == std::vector<std::string>{"1-1.2"});
}

TEST_CASE("all: what is for VMs now, and back what is paused") {
    Pi pi;
    pi.plug(board_at("1-1.2"));
    pi.plug(board_at("1-1.3"));
    auto off = board_at("1-1.4");
    pi.plug(off);
    pi.modes.places[*ControllerPlace::parse(stable(off))] = DeviceMode::off;
    const auto change = pi.read(true, {{"all", true}});
    REQUIRE(change.has_value());
    CHECK(change->busids == std::vector<std::string>{"1-1.2", "1-1.3"});
    CHECK(apply(*change, pi.modes).value());
    const auto back = pi.read(false, {{"all", true}});
    REQUIRE(back.has_value());
    CHECK(back->busids == std::vector<std::string>{"1-1.2", "1-1.3"});
    CHECK(apply(*back, pi.modes).value());
    CHECK(pi.modes.paused.empty());
}

TEST_CASE("what is with no node cannot be disconnected, and why is said") {
    Pi pi;
    auto off = board_at("1-1.4");
    pi.plug(off);
    pi.modes.places[*ControllerPlace::parse(stable(off))] = DeviceMode::off;
    const auto refused = pi.read(true, {{"place", stable(off)}});
    REQUIRE(!refused);
    CHECK(refused.error().kind == ErrorKind::refused);
    CHECK(refused.error().message == "1-1.4 is with no node: its mode is off");
    CHECK(pi.read(true, {{"place", "platform-x/7"}}).error().kind == ErrorKind::not_found);
    CHECK(pi.read(true, json::object()).error().kind == ErrorKind::invalid);
    CHECK(pi.read(true, {{"place", 7}}).error().kind == ErrorKind::invalid);
    CHECK(pi.read(true, {{"all", false}}).error().kind == ErrorKind::invalid);
}

TEST_CASE("pauses survive being written and read; 1,024 of them and no more") {
    Modes modes;
    PauseChange change{true, {}, {}};
    for (unsigned i = 1; i <= max_modes; ++i)
        change.which.push_back(*ControllerPlace::parse("platform-" + std::to_string(i) + "/1"));
    CHECK(apply(change, modes).value());
    CHECK(*parse_modes(format_modes(modes)) == modes);
    change.which = {*ControllerPlace::parse("platform-more/1")};
    CHECK(apply(change, modes).error().kind == ErrorKind::full);
    CHECK(!parse_modes(R"({"paused":[7]})"));
    CHECK(!parse_modes(R"({"paused":{}})"));
    CHECK(!parse_modes(R"({"paused":["1-1"]})"));
}
