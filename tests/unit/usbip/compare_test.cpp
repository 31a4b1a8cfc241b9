// SPDX-License-Identifier: MIT
#include "known_answer.hpp"
#include "result_text.hpp"
#include "usbip/compare.hpp"

#include <doctest/doctest.h>

using namespace longcord;
using namespace longcord::test;

static Device announced() {
    Device device;
    device.id = {0x1a86, 0x55d4};
    device.bcd_device = 0x0443;
    device.device_class = {2, 1, 0};
    device.speed = Speed::full;
    device.configurations = 1;
    return device;
}

TEST_CASE("an import's reply that is what was announced does not differ") {
    CHECK(differs(serial_adapter(), announced()) == std::nullopt);
}

TEST_CASE("each descriptor that differs is named") {
    const auto changed = [](auto change) {
        Device local = announced();
        change(local);
        return differs(local, announced()).value_or("nothing");
    };
    CHECK(changed([](Device&) {}) == "nothing");
    CHECK(changed([](Device& d) {
              d.id.product = 0x1;
          }) == "it is 1a86:0001, announced was 1a86:55d4");
    CHECK(changed([](Device& d) {
              d.bcd_device = 0x444;
          }) == "bcdDevice is 0444, announced was 0443");
    CHECK(changed([](Device& d) {
              d.device_class = {3, 1, 1};
          }) == "class is 03/01/01, announced was 02/01/00");
    CHECK(changed([](Device& d) {
              d.device_class.protocol = 9;
          }) == "class is 02/01/09, announced was 02/01/00");
    CHECK(changed([](Device& d) {
              d.speed = Speed::high;
          }) == "speed is 480 Mbit/s, announced was 12 Mbit/s");
    CHECK(changed([](Device& d) {
              d.configurations = 2;
          }) == "it has 2 configurations, announced were 1");
}

TEST_CASE("place, strings and number on the bus are not compared") {
    Device local = announced();
    local.place = *Place::parse("5-1");
    local.devnum = 77;
    local.serial = "0001";
    CHECK(differs(local, announced()) == std::nullopt);
}

TEST_CASE("10 Gbit/s that arrives as 5 is the same device, 480 Mbit/s is not") {
    Device fast = announced();
    fast.speed = Speed::super_plus;
    Device local = announced();
    local.speed = Speed::super;
    CHECK(differs(local, fast) == std::nullopt);
    local.speed = Speed::high;
    CHECK(differs(local, fast));
}

TEST_CASE("a keyboard does not come in as a serial adapter of class 0") {
    Device serial = announced();
    serial.device_class = {0, 0, 0};
    serial.interfaces = {{0x02, 0x02, 0x01}, {0x0a, 0x00, 0x00}};
    Device keyboard = serial;
    keyboard.interfaces = {{0x03, 0x01, 0x01}};
    CHECK(
        differs(keyboard, serial) ==
        "its interfaces are 03/01/01, announced were 02/02/01 0a/00/00");
    CHECK(differs(serial, serial) == std::nullopt);

    SUBCASE("where either end knows none, or there are several configurations, the rest decides") {
        keyboard.interfaces.clear();
        CHECK(differs(keyboard, serial) == std::nullopt);
        keyboard.interfaces = {{0x03, 0x01, 0x01}};
        keyboard.configurations = serial.configurations = 2;
        CHECK(differs(keyboard, serial) == std::nullopt);
    }
}
