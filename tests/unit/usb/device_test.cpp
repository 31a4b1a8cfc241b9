// SPDX-License-Identifier: MIT
#include "usb/device.hpp"

#include <initializer_list>

#include <doctest/doctest.h>

using namespace longcord;

TEST_CASE("vid:pid has four hex digits each, in any case") {
    CHECK(UsbId::parse("1a86:55d4").value() == UsbId{0x1a86, 0x55d4});
    CHECK(UsbId::parse("10C4:EA60").value().to_string() == "10c4:ea60");
    CHECK(UsbId::parse("0000:ffff").value().to_string() == "0000:ffff");
    for (const char* text :
         {"", ":", "1a86", "1a86:", "1a86:55d", "1a86:55d45", "1a8:655d4", "1a86-55d4", "0x1a:55d4",
          "1a86:55dg", "1a86:55d4 ", "-a86:55d4"})
        CHECK(UsbId::parse(text).has_error());
}

TEST_CASE("speed as sysfs writes it") {
    CHECK(speed_from_sysfs("1.5") == Speed::low);
    CHECK(speed_from_sysfs("12") == Speed::full);
    CHECK(speed_from_sysfs("480") == Speed::high);
    CHECK(speed_from_sysfs("5000") == Speed::super);
    CHECK(speed_from_sysfs("10000") == Speed::super_plus);
    CHECK(speed_from_sysfs("20000") == Speed::super_plus);
    CHECK(speed_from_sysfs("unknown") == Speed::unknown);
    CHECK(speed_from_sysfs("120") == Speed::unknown);
    CHECK(is_super(Speed::super));
    CHECK_FALSE(is_super(Speed::high));
}

TEST_CASE("a device is called by its id, and by its product where it says one") {
    Device device;
    device.id = {0x1a86, 0x55d4};
    CHECK(device.label() == "1a86:55d4");
    device.product = "USB Single Serial";
    CHECK(device.label() == "1a86:55d4 USB Single Serial");
}
