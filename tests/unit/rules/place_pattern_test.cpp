// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <random>

using namespace longcord;

static PlacePattern pattern(const std::string& text) {
    const auto parsed = PlacePattern::parse(text);
    INFO(text, parsed ? "" : ": " + parsed.error().message);
    REQUIRE(parsed.has_value());
    return *parsed;
}

static bool covers(
    const std::string& text, const std::string& place, const std::string& controller = "",
    const std::string& devpath = "") {
    return pattern(text).covers(Place::parse(place).value(), controller, devpath);
}

TEST_CASE("3-4 covers itself and all below it, and not 3-40") {
    CHECK(covers("3-4", "3-4"));
    CHECK(covers("3-4", "3-4.1"));
    CHECK(covers("3-4", "3-4.1.2.3"));
    CHECK_FALSE(covers("3-4", "3-40"));
    CHECK_FALSE(covers("3-4", "3-40.1"));
    CHECK_FALSE(covers("3-4", "13-4"));
    CHECK_FALSE(covers("3-4.1", "3-4"));
    CHECK_FALSE(covers("12-3.1", "12-3.10"));
    CHECK(covers("12-3.10", "12-3.10"));
}

TEST_CASE("a place of this host is none of a Pi, and the other way round") {
    CHECK_FALSE(covers("3-4", "workbench/3-4"));
    CHECK_FALSE(covers("workbench/3-4", "3-4"));
    CHECK_FALSE(covers("workbench/3-4", "attic/3-4"));
    CHECK(covers("workbench/3-4", "workbench/3-4.2"));
    CHECK(covers("workbench", "workbench/7-1"));
    CHECK_FALSE(covers("workbench", "workbench2/7-1"));
    CHECK_FALSE(covers("workbench", "7-1"));
    CHECK(covers("*/*", "7-1"));
    CHECK(covers("*/*", "workbench/7-1"));
}

TEST_CASE("a controller form asks for that controller, on any bus") {
    const std::string here = "pci-0000:00:14.0";
    CHECK(covers("pci-0000:00:14.0/4", "3-4.1", here));
    CHECK(covers("pci-0000:00:14.0/4", "7-4", here));
    CHECK_FALSE(covers("pci-0000:00:14.0/4", "3-40", here));
    CHECK_FALSE(covers("pci-0000:00:14.0/4", "3-4", "pci-0000:00:14.1"));
    CHECK_FALSE(covers("pci-0000:00:14.0/4", "3-4", ""));
    CHECK_FALSE(covers("pci-0000:00:14.0/4", "workbench/3-4", here));
    CHECK(covers(
        "workbench/platform-fe9c0000.xhci/1.2", "workbench/1-1.2.3", "platform-fe9c0000.xhci"));
    CHECK_FALSE(
        covers("workbench/platform-fe9c0000.xhci/1.2", "attic/1-1.2", "platform-fe9c0000.xhci"));
    CHECK(pattern("pci-0000:00:1D.7/1") == pattern("pci-0000:00:1d.7/1"));
}

TEST_CASE("a DEVPATH is compared by whole components") {
    const std::string port = "/devices/pci0000:00/0000:00:14.0/usb3/3-1";
    CHECK(covers(port, "3-1", "", port));
    CHECK(covers(port, "3-1.4", "", port + "/3-1.4"));
    CHECK_FALSE(covers(port, "3-10", "", "/devices/pci0000:00/0000:00:14.0/usb3/3-10"));
    CHECK_FALSE(covers(port, "3-1", "", ""));
    CHECK_FALSE(covers(port, "workbench/3-1", "", port));
    CHECK(covers(
        "/devices/pci0000:00/0000:00:14.0/usb3", "3-10", "",
        "/devices/pci0000:00/0000:00:14.0/usb3/3-10"));
    CHECK_FALSE(covers(
        "/devices/pci0000:00/0000:00:14.0/usb3", "30-1", "",
        "/devices/pci0000:00/0000:00:14.0/usb30/30-1"));
}

TEST_CASE("strength counts the ports of every form alike") {
    CHECK(strength(test::rule("3-4.1")).path_length == 2);
    CHECK(strength(test::rule("workbench/3-4.1")).path_length == 2);
    CHECK(strength(test::rule("pci-0000:00:14.0/4.1")).path_length == 2);
    CHECK(strength(test::rule("/devices/pci0000:00/0000:00:14.0/usb3/3-4/3-4.1")).path_length == 2);
    CHECK(strength(test::rule("/devices/pci0000:00/0000:00:14.0/usb3")).path_length == 0);
    CHECK(strength(test::rule("workbench")).path_length == 0);
    CHECK(strength(test::rule("*/*")).path_length == 0);
}

TEST_CASE("whichever form, no place covers another by a prefix of its text") {
    std::mt19937 random(1);
    const auto number = [&] { return std::to_string(1 + random() % 12); };
    const auto port_path = [&] {
        auto text = number();
        while (random() % 2 == 0)
            text += '.' + number();
        return text;
    };
    for (int i = 0; i < 5000; ++i) {
        const auto a = number() + '-' + port_path();
        const auto b = number() + '-' + port_path();
        const bool below = b == a || b.starts_with(a + '.');
        CHECK(covers(a, b) == below);
        CHECK(covers("workbench/" + a, "workbench/" + b) == below);
        CHECK(pattern(a).covers(pattern(b)) == below);
        CHECK_FALSE(covers(a, a + '0'));
        CHECK(pattern(a).to_string() == a);
    }
}

TEST_CASE("a pattern that covers another covers every place that one covers") {
    const std::vector<std::string> texts{
        "*/*",
        "3-4",
        "3-4.1",
        "3-40",
        "workbench",
        "workbench/3-4",
        "attic/3-4.1",
        "pci-0000:00:14.0/4",
        "workbench/pci-0000:00:14.0/4",
        "/devices/pci0000:00/0000:00:14.0/usb3",
        "/devices/pci0000:00/0000:00:14.0/usb3/3-4",
        "/devices/pci0000:00/0000:00:14.0/usb3/3-4/3-4.1",
        "pci-0000:00:14.0/4.1"};
    const std::string root = "/devices/pci0000:00/0000:00:14.0/usb3";
    const std::vector<std::pair<std::string, std::string>> places{
        {"3-4", root + "/3-4"},   {"3-4.1", root + "/3-4/3-4.1"},
        {"3-40", root + "/3-40"}, {"3-4.10", root + "/3-4/3-4.10"},
        {"workbench/3-4", ""},    {"workbench/3-4.1", ""},
        {"attic/3-4.1", ""}};
    for (const auto& wide : texts)
        for (const auto& narrow : texts)
            for (const auto& [place, devpath] : places)
                if (pattern(wide).covers(pattern(narrow)) &&
                    covers(narrow, place, "pci-0000:00:14.0", devpath)) {
                    INFO(wide, " > ", narrow, " at ", place);
                    CHECK(covers(wide, place, "pci-0000:00:14.0", devpath));
                }
    CHECK(pattern("3-4").covers(pattern("/devices/pci0000:00/0000:00:14.0/usb3/3-4/3-4.1")));
}
