// SPDX-License-Identifier: MIT
#include "fake_sys.hpp"
#include "result_text.hpp"
#include "usbip/port_speed.hpp"

#include <vector>

#include <doctest/doctest.h>

using namespace longcord;
using namespace longcord::test;

TEST_CASE("an hs port of vhci is found on its controller's hub; an ss port has one speed only") {
    FakeSys sys;
    for (const auto& [controller, bus] : {std::pair(0, 3), std::pair(1, 5)})
        for (const auto& [number, speed] : {std::pair(bus, 480), std::pair(bus + 1, 5000)}) {
            const auto hub = fmt::format("devices/platform/vhci_hcd.{}/usb{}/", controller, number);
            sys.file(hub + "speed", fmt::format("{}\n", speed));
            sys.file(hub + "maxchild", "8\n");
            sys.file(hub + "busnum", fmt::format("{}\n", number));
            sys.file(hub + "devnum", "1\n");
        }
    CHECK(hs_hub_port(sys.roots, 0).value() == HubPort{3, 1, 1});
    CHECK(hs_hub_port(sys.roots, 7).value() == HubPort{3, 1, 8});
    CHECK(hs_hub_port(sys.roots, 16).value() == HubPort{5, 1, 1});
    CHECK(hs_hub_port(sys.roots, 18).value() == HubPort{5, 1, 3});
    for (const unsigned none : {8U, 15U, 24U, 32U, 1000U})
        CHECK(hs_hub_port(sys.roots, none).error().kind == ErrorKind::not_found);
    CHECK_FALSE(forget_port_speed(sys.roots, 0)); // this made-up hub has no node
}

TEST_CASE("without vhci there is no such port") {
    FakeSys sys;
    CHECK(hs_hub_port(sys.roots, 0).error().kind == ErrorKind::not_found);
}

namespace {

/// How often a port's speed was forgotten while devices of these speeds came to it one by one.
std::vector<unsigned> forgotten(PortSpeeds& speeds, unsigned& count, std::vector<Speed> coming) {
    std::vector<unsigned> after;
    for (const Speed speed : coming) {
        CHECK(speeds.make_ready(Roots{}, 7, speed));
        after.push_back(count);
    }
    return after;
}

} // namespace

TEST_CASE("a port's speed is forgotten where the next device would be taken for another") {
    unsigned count = 0;
    PortSpeeds speeds([&](const Roots&, unsigned) {
        ++count;
        return Result<>();
    });
    using Counts = std::vector<unsigned>;
    using enum Speed;
    SUBCASE("before the first of full speed, since strangers may have had it, and not again") {
        CHECK(forgotten(speeds, count, {full, full, full}) == Counts{1, 1, 1});
        CHECK(speeds.make_ready(Roots{}, 8, full));
        CHECK(count == 2); // each port for itself
    }
    SUBCASE("after one of high or low speed, but never before one of high speed") {
        CHECK(forgotten(speeds, count, {full, high, high, full}) == Counts{1, 1, 1, 2});
        CHECK(forgotten(speeds, count, {low, full, full, low, high}) == Counts{2, 3, 3, 3, 3});
        CHECK(forgotten(speeds, count, {low, low}) == Counts{4, 5});
    }
    SUBCASE("not on a port of super speed, which has no other") {
        CHECK(forgotten(speeds, count, {super, super_plus}) == Counts{0, 0});
    }
    SUBCASE("again, once a device was not what it should be") {
        CHECK(forgotten(speeds, count, {full, full}) == Counts{1, 1});
        speeds.distrust(7);
        CHECK(forgotten(speeds, count, {full, full}) == Counts{2, 2});
    }
}

TEST_CASE("a speed that could not be forgotten is tried again") {
    bool works = false;
    PortSpeeds speeds([&](const Roots&, unsigned) -> Result<> {
        if (works)
            return {};
        return fail(ErrorKind::system, "no hub");
    });
    CHECK_FALSE(speeds.make_ready(Roots{}, 7, Speed::full));
    CHECK_FALSE(speeds.make_ready(Roots{}, 7, Speed::full));
    works = true;
    CHECK(speeds.make_ready(Roots{}, 7, Speed::full));
    works = false;
    CHECK(speeds.make_ready(Roots{}, 7, Speed::full));
}
