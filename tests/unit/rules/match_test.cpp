// SPDX-License-Identifier: MIT
#include "support.hpp"

using namespace longcord;

static Device stick() {
    auto device = test::device("3-4.1", "10c4:ea60");
    device.controller = "pci-0000:00:14.0";
    device.serial = "A1";
    device.product = "USB Single Serial ";
    device.interfaces = {{0x02, 2, 1}, {0x0a, 0, 0}};
    return device;
}

static std::string verdict(const std::string& text, const Device& device) {
    const auto found = match(test::rule(text), Subject{device});
    CHECK(found.matches == matches(test::rule(text), Subject{device}));
    return (found.matches ? "yes: " : "no: ") + found.reason;
}

TEST_CASE("a verdict says which qualifier decided") {
    const auto device = stick();
    CHECK(verdict("3-4.1", device) == "yes: plugged at 3-4.1");
    CHECK(verdict("3-4", device) == "yes: plugged at 3-4.1, in 3-4");
    CHECK(verdict("3-40", device) == "no: 3-4.1 is neither 3-40 nor below it");
    CHECK(
        verdict("workbench", device) ==
        "no: it is plugged into this host, not into the Pi workbench");
    CHECK(
        verdict("*/* 10c4:ea60 serial=A1", device) ==
        "yes: plugged at 3-4.1, and any place will do; it is 10c4:ea60; serial is \"A1\"");
    CHECK(verdict("3-4 serial=0001", device) == "no: serial is \"A1\", not \"0001\"");
    CHECK(
        verdict("3-4 serial=a1", device) ==
        "no: serial is \"A1\", not \"a1\" (upper and lower case differ)");
    CHECK(
        verdict("3-4 1a86:55d4 serial=0001", device) ==
        "no: it is 10c4:ea60, not 1a86:55d4; serial is \"A1\", not \"0001\"");
    CHECK(verdict("3-4 class=hid", device) == "no: its classes are cdc, 0a, not hid");
    CHECK(
        verdict("pci-0000:00:14.1/4", device) ==
        "no: its controller is pci-0000:00:14.0, not pci-0000:00:14.1");
    CHECK(
        verdict("/devices/pci0000:00/0000:00:14.0/usb3/3-4", device) ==
        "no: its DEVPATH is not known");
    CHECK(
        verdict("3-4 serial=0001", test::device("3-4")) ==
        "no: it has no serial, and \"0001\" is wanted");
}

TEST_CASE("a Pi's device says on which Pi it is") {
    CHECK(
        verdict("3-4", test::device("attic/3-4")) ==
        "no: it is plugged into the Pi attic, not into this host");
    CHECK(
        verdict("workbench/3-4", test::device("attic/3-4")) ==
        "no: it is plugged into the Pi attic, not into the Pi workbench");
}

TEST_CASE("blanks around a text of the device make no difference") {
    CHECK(verdict("3-4 product=\"USB Single Serial\"", stick()).starts_with("yes"));
    CHECK(verdict("3-4 product=\"USB Single\"", stick()).starts_with("no"));
}

TEST_CASE("a class matches the device's own and that of any interface") {
    auto device = test::device("3-4");
    device.interfaces = {{0x03, 1, 1}, {0x08, 6, 80}};
    CHECK(verdict("3-4 class=hid", device).starts_with("yes"));
    CHECK(verdict("3-4 class=storage", device).starts_with("yes"));
    CHECK(verdict("3-4 class=audio", device).starts_with("no"));
    device.device_class.code = 0x02;
    CHECK(verdict("3-4 class=comm", device).starts_with("yes"));
}

TEST_CASE("a rule for one half of a physical port covers the other half") {
    auto device = test::device("4-2.1");
    device.controller = "pci-0000:00:14.0";
    const auto peer = Place::parse("3-6.1").value();
    const Subject subject{
        device, "/devices/pci0000:00/0000:00:14.0/usb4/4-2/4-2.1", &peer,
        "/devices/pci0000:00/0000:00:14.0/usb3/3-6/3-6.1"};
    for (const std::string text :
         {"3-6", "4-2", "3-6.1", "pci-0000:00:14.0/6.1", "pci-0000:00:14.0/2",
          "/devices/pci0000:00/0000:00:14.0/usb3/3-6", "/devices/pci0000:00/0000:00:14.0/usb4/4-2"})
        CHECK(matches(test::rule(text), subject));
    CHECK_FALSE(matches(test::rule("3-2"), subject));
    CHECK_FALSE(matches(test::rule("pci-0000:00:14.0/1"), subject));
    CHECK(
        match(test::rule("3-6"), subject).reason ==
        "plugged at 4-2.1, the other half of 3-6.1, in 3-6");
}
