// SPDX-License-Identifier: MIT
#include "known_answer.hpp"
#include "result_text.hpp"
#include "usbip/wire.hpp"

#include <random>

#include <doctest/doctest.h>

using namespace longcord;
using namespace longcord::test;

TEST_CASE("an import request is 40 bytes: version 0x0111, code 0x8003, status 0, busid") {
    const auto request = format_import_request("3-2");
    REQUIRE(request);
    CHECK(*request == bytes({0x01, 0x11, 0x80, 0x03, 0, 0, 0, 0}) + "3-2" + zeros(29));
    CHECK(*parse_import_request(*request) == "3-2");
}

TEST_CASE("a busid of 31 bytes fits, of 32 does not") {
    CHECK(format_import_request(std::string(31, '1')));
    CHECK_FALSE(format_import_request(std::string(32, '1')));
}

TEST_CASE("a busid holds nothing that could name a path or spoil a log line") {
    for (const char* good : {"1-1", "10-2.13.4", "usbip-vudc.0", "a_b:c"})
        CHECK(is_wire_busid(good));
    for (const char* bad : {"", ".", "..", "1-1/..", "1..2", "1 1", "1-1\n", "1-1\x80"})
        CHECK_FALSE(is_wire_busid(bad));
    CHECK_FALSE(is_wire_busid(std::string_view("1\0-1", 4)));
}

TEST_CASE("a device list request is 8 bytes") {
    CHECK(format_devlist_request() == bytes({0x01, 0x11, 0x80, 0x05, 0, 0, 0, 0}));
}

TEST_CASE("an import's reply is a header and the 312 bytes of the device") {
    CHECK(serial_adapter_bytes().size() == wire_device_size);
    const auto reply = format_import_reply(serial_adapter());
    REQUIRE(reply);
    CHECK(*reply == bytes({0x01, 0x11, 0x00, 0x03, 0, 0, 0, 0}) + serial_adapter_bytes());
}

TEST_CASE("a device is read from its 312 bytes") {
    const auto device = parse_wire_device(serial_adapter_bytes());
    REQUIRE(device);
    CHECK(*device == serial_adapter());
    CHECK(device->devid() == 0x00030102);
}

TEST_CASE("a device of one byte more or less is refused, at every length") {
    const std::string whole = serial_adapter_bytes();
    for (std::size_t size = 0; size < whole.size(); ++size)
        CHECK(parse_wire_device(whole.substr(0, size)).error().kind == ErrorKind::protocol);
    CHECK_FALSE(parse_wire_device(whole + '\0'));
}

TEST_CASE("a device with a busid that is not closed, empty or a path is refused") {
    const std::string whole = serial_adapter_bytes();
    const auto with_busid = [&](const std::string& busid) {
        return whole.substr(0, 256) + padded(busid, 32) + whole.substr(288);
    };
    CHECK(parse_wire_device(with_busid("4-1")));
    CHECK_FALSE(parse_wire_device(with_busid(std::string(32, '1'))));
    CHECK_FALSE(parse_wire_device(with_busid("")));
    CHECK_FALSE(parse_wire_device(with_busid("../1-1")));
}

TEST_CASE("what follows the closing zero of a busid does not count") {
    std::string whole = serial_adapter_bytes();
    whole[256 + 4] = 'x';
    CHECK(parse_wire_device(whole)->busid == "3-2");
}

TEST_CASE("numbers that no kernel has are refused") {
    const auto with = [](std::size_t offset, unsigned char value) {
        std::string changed = serial_adapter_bytes();
        changed[offset] = static_cast<char>(value);
        return parse_wire_device(changed);
    };
    CHECK(with(0x12b, 6)->speed == Speed::super_plus);
    CHECK_FALSE(with(0x12b, 7)); // speed
    CHECK_FALSE(with(0x128, 1)); // speed, its highest byte
    CHECK_FALSE(with(0x121, 1)); // busnum 65539
    CHECK_FALSE(with(0x125, 1)); // devnum 65794
}

TEST_CASE("a reply is judged by version, code, then status") {
    const auto kind = [](OpHeader header) {
        return check_reply(header, OpCode::rep_import).error().kind;
    };
    CHECK(check_reply({0x0111, 0x0003, 0}, OpCode::rep_import));
    CHECK(kind({0x0110, 0x0003, 0}) == ErrorKind::protocol);
    CHECK(kind({0x0111, 0x8003, 0}) == ErrorKind::protocol);
    CHECK(kind({0x0111, 0x0005, 2}) == ErrorKind::protocol);
    CHECK(kind({0x0111, 0x0003, 1}) == ErrorKind::unavailable);
    CHECK(kind({0x0111, 0x0003, 2}) == ErrorKind::busy);
    CHECK(kind({0x0111, 0x0003, 3}) == ErrorKind::unavailable);
    CHECK(kind({0x0111, 0x0003, 4}) == ErrorKind::not_found);
    CHECK(kind({0x0111, 0x0003, 5}) == ErrorKind::unavailable);
    CHECK(kind({0x0111, 0x0003, 6}) == ErrorKind::protocol);
    CHECK(kind({0x0111, 0x0003, 0xffffffff}) == ErrorKind::protocol);
}

namespace {

std::vector<WireDevice> two_devices() {
    WireDevice first = serial_adapter();
    first.interfaces = {{2, 2, 1}, {10, 0, 0}};
    WireDevice second = first;
    second.busid = "3-3";
    second.interface_count = 0;
    second.interfaces.clear();
    return {first, second};
}

} // namespace

TEST_CASE("a device list: header, count, and each device with its interfaces") {
    const auto list = format_devlist_reply(two_devices());
    REQUIRE(list);
    const std::string known = bytes({0x01, 0x11, 0x00, 0x05, 0, 0, 0, 0, 0, 0, 0, 2}) +
                              serial_adapter_bytes() + bytes({2, 2, 1, 0, 10, 0, 0, 0});
    CHECK(list->substr(0, known.size()) == known);
    CHECK(list->size() == known.size() + wire_device_size);
    CHECK(*parse_devlist_reply(*list) == two_devices());
}

TEST_CASE("an empty device list is 12 bytes") {
    const auto list = format_devlist_reply({});
    CHECK(*list == bytes({0x01, 0x11, 0x00, 0x05, 0, 0, 0, 0, 0, 0, 0, 0}));
    CHECK(parse_devlist_reply(*list)->empty());
}

TEST_CASE("a device list that ends anywhere before its end, or after it, is refused") {
    const std::string whole = *format_devlist_reply(two_devices());
    for (std::size_t size = 0; size < whole.size(); ++size)
        CHECK_FALSE(parse_devlist_reply(whole.substr(0, size)));
    CHECK_FALSE(parse_devlist_reply(whole + 'x'));
}

TEST_CASE("128 devices are read, 129 are not, and a huge count costs nothing") {
    WireDevice device = serial_adapter();
    device.interface_count = 0;
    CHECK(parse_devlist_reply(*format_devlist_reply(std::vector(128, device)))->size() == 128);
    CHECK_FALSE(parse_devlist_reply(*format_devlist_reply(std::vector(129, device))));
    CHECK_FALSE(
        parse_devlist_reply(bytes({0x01, 0x11, 0x00, 0x05, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff})));
}

TEST_CASE("what is read from random bytes is written as it was, or refused") {
    std::mt19937 random(20260101); // NOLINT: the same bytes every time
    std::uniform_int_distribution<std::size_t> position(0, wire_device_size - 1);
    for (int round = 0; round < 2000; ++round) {
        std::string noisy = serial_adapter_bytes();
        for (int flips = 0; flips < 3; ++flips)
            noisy[position(random)] = static_cast<char>(random());
        if (const auto device = parse_wire_device(noisy)) {
            const auto again = format_import_reply(*device);
            REQUIRE(again);
            CHECK(*parse_wire_device(again->substr(op_header_size)) == *device);
        }
        (void)parse_devlist_reply(noisy);
        (void)parse_import_request(noisy.substr(0, import_request_size));
    }
}
