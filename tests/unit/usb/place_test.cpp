// SPDX-License-Identifier: MIT
#include "usb/place.hpp"

#include <initializer_list>

#include <doctest/doctest.h>

using namespace longcord;

static Place place(std::string_view text) {
    return Place::parse(text).value();
}

TEST_CASE("a place is written as it is read") {
    for (const char* text :
         {"3-4", "3-4.1", "12-3.10", "1-1.2.3.4.5.6", "100-31", "workbench/1-1.2", "a/1-1",
          "pi-2/10-10.10"})
        CHECK(place(text).to_string() == text);
}

TEST_CASE("a place has a bus and whole port numbers of any length") {
    const auto p = place("12-3.10");
    CHECK(p.bus == 12);
    CHECK(p.path.ports == std::vector<unsigned>{3, 10});
    CHECK(p.is_local());
    CHECK(place("workbench/12-3.10").pi == "workbench");
    CHECK(place("workbench/12-3.10").busid() == "12-3.10");
}

TEST_CASE("3-4 covers itself and what is below it") {
    CHECK(place("3-4").covers(place("3-4")));
    CHECK(place("3-4").covers(place("3-4.1")));
    CHECK(place("3-4").covers(place("3-4.1.2")));
}

TEST_CASE("3-4 does not cover 3-40") {
    CHECK_FALSE(place("3-4").covers(place("3-40")));
    CHECK_FALSE(place("3-4").covers(place("3-40.1")));
    CHECK_FALSE(place("12-3.1").covers(place("12-3.10")));
    CHECK_FALSE(place("1-1").covers(place("11-1")));
    CHECK_FALSE(place("3-4.1").covers(place("3-4")));
}

TEST_CASE("a place on one machine covers none on another") {
    CHECK_FALSE(place("workbench/1-1").covers(place("1-1")));
    CHECK_FALSE(place("1-1").covers(place("workbench/1-1")));
    CHECK_FALSE(place("workbench/1-1").covers(place("bench/1-1.2")));
    CHECK(place("workbench/1-1").covers(place("workbench/1-1.2")));
}

TEST_CASE("places are ordered by number, not by letter") {
    CHECK(place("3-4") < place("3-40"));
    CHECK(place("3-9") < place("3-10"));
    CHECK(place("2-1") < place("10-1"));
    CHECK(place("3-4") < place("3-4.1"));
}

TEST_CASE("what is no place is refused, and the message shows it") {
    for (const char* text :
         {"",
          "3",
          "34",
          "3-",
          "-4",
          "3-4.",
          "3-.4",
          "3-4..1",
          "0-1",
          "3-0",
          "3-4.0",
          "03-4",
          "3-04",
          "3-4.01",
          "3--4",
          "3-4-1",
          "+3-4",
          "3-+4",
          " 3-4",
          "3-4 ",
          "3-4.1a",
          "0x3-4",
          "99999999999-1",
          "3-99999999999",
          "/3-4",
          "workbench/",
          "workbench",
          "work bench/1-1",
          "Workbench/1-1",
          "a/b/1-1",
          "../1-1",
          "usb3",
          "3-4:1.0",
          "pci-0000:00:14.0/4.1"}) {
        CAPTURE(text);
        REQUIRE(Place::parse(text).has_error());
        CHECK(Place::parse(text).error().kind == ErrorKind::invalid);
    }
    CHECK(Place::parse("3-4\x1b[2J").error().message.find('\x1b') == std::string::npos);
}

TEST_CASE("names of Pis") {
    CHECK(is_pi_name("workbench"));
    CHECK(is_pi_name("p"));
    CHECK(is_pi_name("pi-4-left"));
    CHECK(is_pi_name(std::string(31, 'a')));
    CHECK_FALSE(is_pi_name(std::string(32, 'a')));
    for (const char* name :
         {"", "4pi", "-pi", "Pi", "pi_4", "pi.local", "pci-1", "platform-x", "bü"})
        CHECK_FALSE(is_pi_name(name));
    CHECK(is_pi_name("pci"));
    CHECK(is_pi_name("platforms"));
}
