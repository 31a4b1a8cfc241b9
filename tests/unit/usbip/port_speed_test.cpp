// SPDX-License-Identifier: MIT
#include "fake_sys.hpp"
#include "result_text.hpp"
#include "usbip/port_speed.hpp"

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
