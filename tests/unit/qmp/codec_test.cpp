// SPDX-License-Identifier: MIT
#include "qmp/codec.hpp"
#include "qmp/refusal.hpp"

#include <doctest/doctest.h>

using namespace longcord;

template <class T> static T parsed(std::string_view text) {
    const auto message = parse_qmp_message(text);
    REQUIRE(message.has_value());
    REQUIRE(std::holds_alternative<T>(*message));
    return std::get<T>(*message);
}

TEST_CASE("a command, byte for byte") {
    CHECK(
        format_command({"qmp_capabilities", {}}, "L1-1.caps") ==
        R"({"execute":"qmp_capabilities","id":"L1-1.caps"})");
    CHECK(
        format_command({"qom-get", {{"path", "/a"}, {"property", "p2"}}}, "x.3") ==
        R"({"arguments":{"path":"/a","property":"p2"},"execute":"qom-get","id":"x.3"})");
    CHECK(
        format_command({"device_del", {{"id", "a"}}}, "x.4") ==
        R"({"arguments":{"id":"a"},"execute":"device_del","id":"x.4"})");
}

TEST_CASE("QEMU's own words are understood") {
    CHECK(
        parsed<QmpGreeting>(R"({"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7},)"
                            R"( "package": "Debian"}, "capabilities": ["oob"]}})")
            .version == "7.2.22");
    const auto reply = parsed<QmpReply>(R"({"return": {"running": true}, "id": "x.1"})");
    CHECK(reply.id == "x.1");
    CHECK(reply.answer.value["running"] == true);
    CHECK_FALSE(reply.answer.error);
    const auto refused = parsed<QmpReply>(
        R"({"id": "x.2", "error": {"class": "DeviceNotFound", "desc": "Device 'a' not found"}})");
    CHECK(refused.id == "x.2");
    REQUIRE(refused.answer.error);
    CHECK(refused.answer.error->description == "Device 'a' not found");
    CHECK(is_device_not_found(refused.answer));
    const auto event = parsed<QmpEvent>(
        R"({"timestamp": {"seconds": 1, "microseconds": 2}, "event": "DEVICE_DELETED",)"
        R"( "data": {"device": "usbhost3-4.1", "path": "/machine/peripheral/usbhost3-4.1"}})");
    CHECK(event.name == "DEVICE_DELETED");
    CHECK(event.device == "usbhost3-4.1");
    CHECK(parsed<QmpEvent>(R"({"event": "STOP"})").device.empty());
}

TEST_CASE("an id that is no text is nobody's of ours") {
    CHECK(parsed<QmpReply>(R"({"return": {}, "id": 7})").id.empty());
    CHECK(parsed<QmpReply>(R"({"return": {}})").id.empty());
    CHECK(parsed<QmpReply>(R"({"return": {}, "id": {"a": [1]}})").id.empty());
}

TEST_CASE("nonsense is an error that shows it, never an exception") {
    for (const char* text :
         {"", "{", "[]", "[1]", "{}", "7", "null", "{\"a\":1}", "{\"return\":}", "{]",
          "{\"return\":\"\xff\"}", "{'return':1}"}) {
        CAPTURE(text);
        const auto message = parse_qmp_message(text);
        REQUIRE(message.has_error());
        CHECK(message.error().kind == ErrorKind::protocol);
    }
    for (const char* text :
         {R"({"QMP":7})", R"({"QMP":{"version":[]}})",
          R"({"QMP":{"version":{"qemu":{"major":{}}}}})", R"({"error":7})",
          R"({"error":{"class":1,"desc":[]}})", R"({"event":7,"data":[]})",
          R"({"event":"DEVICE_DELETED","data":{"device":{}}})"}) {
        CAPTURE(text);
        CHECK(parse_qmp_message(text).has_value());
    }
}

TEST_CASE("a refusal has a kind, and QEMU's text stays in it") {
    const auto kind = [](const char* text) {
        const auto error = refusal("plug usbhost3-4.1", {"GenericError", text});
        CHECK(error.message.find(text) != std::string::npos);
        CHECK(error.message.starts_with("plug usbhost3-4.1: "));
        return error.kind;
    };
    CHECK(kind("Duplicate device ID 'usbhost3-4.1'") == ErrorKind::busy);
    CHECK(kind("usb port 9 (bus xhci.0) not found (in use?)") == ErrorKind::busy);
    CHECK(
        kind("failed to open /dev/bus/usb/009/009: No such file or directory") ==
        ErrorKind::not_found);
    CHECK(kind("failed to open /dev/bus/usb/009/009: Permission denied") == ErrorKind::refused);
    CHECK(kind("failed to open host usb device /dev/bus/usb/001/002") == ErrorKind::unavailable);
    CHECK(kind("device_add not allowed while migrating") == ErrorKind::unavailable);
    CHECK(kind("Bus 'nope.0' not found") == ErrorKind::not_found);
    CHECK(kind("Property 'usb-host.foo' not found") == ErrorKind::invalid);
    CHECK(kind("Invalid parameter type for 'isobufs', expected: number") == ErrorKind::invalid);
    CHECK(kind("out of cheese") == ErrorKind::system);
    CHECK(refusal("x", {"DeviceNotFound", "Device 'nope' not found"}).kind == ErrorKind::not_found);
}
