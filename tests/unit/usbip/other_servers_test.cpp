// SPDX-License-Identifier: MIT
// Servers that are not usbipd say the same protocol with an accent. Byte streams made by hand after
// the sources of usbipd-win (ConnectedClient.cs, ExportedDevice.cs, BusId.cs) and of Renode
// (USBIPServer.cs, DeviceDescriptor.cs): what they send is read, what they can refuse is
// understood.
#include "known_answer.hpp"
#include "result_text.hpp"
#include "usbip/compare.hpp"
#include "usbip/wire.hpp"

#include <doctest/doctest.h>

using namespace longcord;
using namespace longcord::test;

namespace {

const std::string list_header = bytes({0x01, 0x11, 0x00, 0x05, 0, 0, 0, 0});

/// Windows tells of a device by its instance, and of its place by hub and port: both numbers of a
/// busid have at most two digits, and devnum is the port.
const std::string windows_stick = padded("USB\\VID_10C4&PID_EA60\\0001", 256) + // path
                                  padded("1-7", 32) +                           // busid
                                  bytes({0, 0, 0, 1, 0, 0, 0, 7, 0, 0, 0, 2}) + // full speed
                                  bytes({0x10, 0xc4, 0xea, 0x60, 0x01, 0x00}) + //
                                  bytes({0, 0, 0, 1, 1, 1});
/// Disabled in Windows: no configuration, and the interfaces cannot be asked for.
const std::string windows_disabled =
    padded("USB\\VID_0BDA&PID_8153\\0010000\xc3\xa9", 256) + padded("12-99", 32) +
    bytes({0, 0, 0, 12, 0, 0, 0, 99, 0, 0, 0, 5}) + bytes({0x0b, 0xda, 0x81, 0x53, 0x31, 0x00}) +
    bytes({0, 0, 0, 0, 2, 0});

/// Renode has one bus, 1, and numbers what is registered from 0; it calls high speed 2, which is
/// full speed on the wire, and leaves out bcdDevice and the configuration.
std::string renode_device(unsigned char number, unsigned char interfaces) {
    const std::string name = "1-" + std::to_string(number);
    return padded("/renode/virtual/" + name, 256) + padded(name, 32) +
           bytes({0, 0, 0, 1, 0, 0, 0, number, 0, 0, 0, 2}) +
           bytes({0x2f, 0xe3, 0x01, 0x00, 0, 0}) + bytes({0, 0, 0, 0, 1, interfaces});
}

Device as_announced(const WireDevice& wire) {
    Device device;
    device.id = wire.id;
    device.bcd_device = wire.bcd_device;
    device.device_class = wire.device_class;
    device.interfaces = wire.interfaces;
    device.configurations = wire.configurations;
    device.speed = wire.speed;
    return device;
}

} // namespace

TEST_CASE("a list of usbipd-win: paths that are none, hubs and ports as busids") {
    const auto list = parse_devlist_reply(
        list_header + bytes({0, 0, 0, 2}) + windows_stick + bytes({0xff, 0, 0, 0}) +
        windows_disabled);
    REQUIRE(list);
    REQUIRE(list->size() == 2);
    const WireDevice& stick = list->front();
    CHECK(stick.path == "USB\\VID_10C4&PID_EA60\\0001");
    CHECK(stick.busid == "1-7");
    CHECK(stick.devid() == 0x10007);
    CHECK(stick.speed == Speed::full);
    CHECK(stick.id == UsbId{0x10c4, 0xea60});
    CHECK(stick.interfaces == std::vector{InterfaceClass{0xff, 0, 0}});
    const WireDevice& disabled = list->back();
    CHECK(disabled.busid == "12-99");
    CHECK(disabled.devid() == 0xc0063);
    CHECK(disabled.configuration == 0);
    CHECK(disabled.interfaces.empty());
}

TEST_CASE("an import from usbipd-win: a header, and the device without its interfaces") {
    const auto device = parse_wire_device(windows_stick);
    REQUIRE(device);
    CHECK(device->interface_count == 1);
    CHECK(device->interfaces.empty());
    CHECK_FALSE(differs(*device, as_announced(*device)));
}

TEST_CASE("each refusal of usbipd-win has its kind") {
    const auto kind_of = [](unsigned char status) {
        const auto header = parse_op_header(bytes({0x01, 0x11, 0x00, 0x03, 0, 0, 0, status}));
        return check_reply(*header, OpCode::rep_import).error().kind;
    };
    CHECK(kind_of(1) == ErrorKind::unavailable); // Windows' driver could not be prepared
    CHECK(kind_of(2) == ErrorKind::busy);        // attached elsewhere, or Windows uses it
    CHECK(kind_of(3) == ErrorKind::unavailable); // it could not be claimed within 10 s
    CHECK(kind_of(4) == ErrorKind::not_found);   // not bound, and no policy binds it
    CHECK(kind_of(5) == ErrorKind::unavailable); // something else
}

TEST_CASE("the word of usbipd-win for a hub without a number names a busid, and no place") {
    std::string hub = windows_stick;
    hub.replace(256, 32, padded("IncompatibleHub", 32));
    REQUIRE(parse_wire_device(hub));
    CHECK_FALSE(Place::parse(parse_wire_device(hub)->busid));
}

TEST_CASE("a list of Renode: its bus, its numbers, and nothing after the list") {
    const auto list = parse_devlist_reply(
        list_header + bytes({0, 0, 0, 2}) + renode_device(0, 1) + bytes({3, 1, 1, 0}) +
        renode_device(1, 2) + bytes({2, 2, 1, 0, 10, 0, 0, 0}));
    REQUIRE(list);
    CHECK(list->at(0).busid == "1-0");
    CHECK_FALSE(Place::parse(list->at(0).busid)); // there is no port 0
    CHECK(list->at(1).busid == "1-1");
    CHECK(list->at(1).devid() == 0x10001);
    CHECK(list->at(1).speed == Speed::full);
    CHECK(list->at(1).path == "/renode/virtual/1-1");
    CHECK(list->at(1).interfaces == std::vector{InterfaceClass{2, 2, 1}, InterfaceClass{10, 0, 0}});
}

TEST_CASE(
    "Renode counts interfaces in its list only: an import's reply has none, and is no other") {
    const auto imported = parse_wire_device(renode_device(1, 0));
    REQUIRE(imported);
    CHECK(imported->interface_count == 0);
    const auto list = parse_devlist_reply(
        list_header + bytes({0, 0, 0, 1}) + renode_device(1, 2) + bytes({2, 2, 1, 0, 10, 0, 0, 0}));
    REQUIRE(list);
    CHECK_FALSE(differs(*imported, as_announced(list->front())));
}

TEST_CASE("a list of Renode that promises more interfaces than it has is refused") {
    for (unsigned char promised = 2; promised < 8; ++promised)
        CHECK_FALSE(parse_devlist_reply(
            list_header + bytes({0, 0, 0, 1}) + renode_device(1, promised) + bytes({3, 1, 1, 0})));
}

TEST_CASE("Renode tells no bcdDevice, and what the kernel reads is taken; another one is not") {
    const auto wire = parse_wire_device(renode_device(1, 0));
    REQUIRE(wire);
    Device announced = as_announced(*wire);
    Device local = announced;
    local.bcd_device = 0x0205;
    CHECK_FALSE(differs(local, announced));
    announced.bcd_device = 0x0204;
    CHECK(differs(local, announced) == "bcdDevice is 0205, announced was 0204");
    local.bcd_device = 0;
    CHECK(differs(local, announced) == "bcdDevice is 0000, announced was 0204");
}

TEST_CASE("Renode says status 1 for whatever it cannot attach") {
    const auto header = parse_op_header(bytes({0x01, 0x11, 0x00, 0x03, 0, 0, 0, 1}));
    CHECK(check_reply(*header, OpCode::rep_import).error().kind == ErrorKind::unavailable);
}
