// SPDX-License-Identifier: MIT
#include "usbip/serve.hpp"

#include <doctest/doctest.h>

using namespace longcord;
using namespace std::string_literals;

TEST_CASE("a client asks for the list, or for a device") {
    CHECK((*parse_request_header("\x01\x11\x80\x05\0\0\0\0"s) == UsbipRequest::devlist));
    CHECK((*parse_request_header("\x01\x11\x80\x03\0\0\0\0"s) == UsbipRequest::import));
    CHECK((*parse_request_header("\x01\x11\x80\x03\0\0\0\x05"s) == UsbipRequest::import));
}

TEST_CASE("anything else is no request") {
    const std::string wrong[] = {"\x01\x06\x80\x05\0\0\0\0"s,   "\x01\x11\x00\x05\0\0\0\0"s,
                                 "\x01\x11\x80\x02\0\0\0\0"s,   "\x01\x11\x80\x05\0\0\0"s,
                                 "\x01\x11\x80\x05\0\0\0\0\0"s, "GET / HT"s};
    for (const auto& bytes : wrong)
        CHECK_FALSE(parse_request_header(bytes).has_value());
}

TEST_CASE("the busid of an import") {
    auto field = "1-1.2"s;
    field.resize(wire_busid_size);
    CHECK(*parse_requested_busid(field) == "1-1.2");
    CHECK_FALSE(parse_requested_busid("1-1.2").has_value());
    for (const auto& busid : {""s, "../../x"s, "1-1/2"s, "1-1.2\n"s, std::string(32, '1')}) {
        field = busid;
        field.resize(wire_busid_size);
        CHECK_FALSE(parse_requested_busid(field).has_value());
    }
}

TEST_CASE("a device is described as the node was told of it") {
    LocalDevice local;
    local.device.place = Place::parse("3-1.2").value();
    local.device.id = {0x1a86, 0x55d4};
    local.device.bcd_device = 0x0443;
    local.device.device_class = {2, 0, 0};
    local.device.interfaces = {{2, 2, 1}, {10, 0, 0}};
    local.device.devnum = 5;
    local.device.speed = Speed::full;
    local.devpath = "/devices/platform/fe9c0000.xhci/usb3/3-1/3-1.2";
    const auto wire = describe(local);
    CHECK(wire.path == "/sys/devices/platform/fe9c0000.xhci/usb3/3-1/3-1.2");
    CHECK(wire.busid == "3-1.2");
    CHECK(wire.devid() == 0x30005);
    CHECK(wire.interface_count == 2);
    const auto bytes = format_devlist_reply({wire});
    REQUIRE(bytes.has_value());
    const auto list = parse_devlist_reply(*bytes);
    REQUIRE(list.has_value());
    CHECK((list->front() == wire));
}

TEST_CASE("a refusal is a header alone") {
    CHECK(format_import_refusal(OpStatus::device_busy) == "\x01\x11\x00\x03\0\0\0\x02"s);
}
