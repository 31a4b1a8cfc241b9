// SPDX-License-Identifier: MIT
#include "qmp/plug_id.hpp"

#include <doctest/doctest.h>

using namespace longcord;

TEST_CASE("an id names a place, and a place has one id") {
    const std::pair<const char*, const char*> known[] = {
        {"3-4", "usbhost3-4"},
        {"3-4.1", "usbhost3-4.1"},
        {"12-3.10.2", "usbhost12-3.10.2"},
        {"workbench/1-1.2", "usbhost-workbench-1-1.2"},
        {"pi-3/1-1", "usbhost-pi-3-1-1"},
        {"pi-3-4/10-11.12", "usbhost-pi-3-4-10-11.12"},
        {"a-/1-1", "usbhost-a--1-1"},
    };
    for (const auto& [place, id] : known) {
        CAPTURE(id);
        const auto parsed = Place::parse(place);
        REQUIRE(parsed.has_value());
        CHECK(plug_id(*parsed) == id);
        REQUIRE(place_of_plug_id(id));
        CHECK(*place_of_plug_id(id) == *parsed);
    }
}

TEST_CASE("only an id of exactly this form is ours") {
    for (const char* id :
         {"",
          "usb0",
          "usb3-4.1",
          "usbhost",
          "usbhost-",
          "usbhost--",
          "usbhost-1",
          "usbhost3",
          "usbhost3-",
          "usbhost3-4.",
          "usbhost-3-4",
          "usbhost03-4",
          "usbhost3-04",
          "usbhost0-1",
          "usbhost3-0",
          "usbhost3-4.1x",
          "usbhost3-4.1 ",
          "usbhost+3-4",
          "usbhost-Work-1-1",
          "usbhost-1-1-1",
          "usbhost-workbench-1",
          "usbhost-pci-0-1-1",
          "usbhostworkbench-1-1",
          "usbhost-work/bench-1-1",
          "usbhostwork/1-1",
          "usbhost-workbench/1-1",
          "usbredirdev1",
          "xusbhost3-4.1",
          "usbhost99999999999-1"}) {
        CAPTURE(id);
        CHECK_FALSE(place_of_plug_id(id));
    }
}
