// SPDX-License-Identifier: MIT
#include "serial/serial_refusals.hpp"

#include <doctest/doctest.h>

using namespace longcord;

TEST_CASE("an address that tries again and again is said once a minute, with how often") {
    SerialRefusals refusals;
    const TimePoint start = Clock::now();
    CHECK(refusals.note("10.0.0.5", "1-1", start) == 0);
    CHECK_FALSE(refusals.note("10.0.0.5", "1-1", start));
    CHECK_FALSE(refusals.note("10.0.0.5", "1-2", start + SerialRefusals::quiet - milliseconds(1)));
    CHECK(refusals.note("10.0.0.5", "1-2", start + SerialRefusals::quiet) == 2);
    REQUIRE(refusals.all().size() == 1);
    CHECK(refusals.all()[0].times == 4);
    CHECK(refusals.all()[0].name == "1-2");
}

TEST_CASE("many addresses are ten lines at once, one a second, and 64 are remembered") {
    SerialRefusals refusals;
    const TimePoint start = Clock::now();
    unsigned said = 0;
    for (unsigned i = 0; i < 100; ++i)
        said += refusals.note("10.0.0." + std::to_string(i), "1-1", start).has_value();
    CHECK(said == 10);
    CHECK(refusals.all().size() == SerialRefusals::at_most);
    CHECK(refusals.all().front().address == "10.0.0.36");
    // One of those that had to wait for its line gets it at its next try.
    CHECK(refusals.note("10.0.0.99", "1-1", start + seconds(1)) == 1);
}

TEST_CASE("who may now is forgotten") {
    SerialRefusals refusals;
    refusals.note("10.0.0.5", "1-1", Clock::now());
    refusals.note("10.0.0.6", "1-1", Clock::now());
    refusals.forget([](const std::string& address) { return address == "10.0.0.5"; });
    REQUIRE(refusals.all().size() == 1);
    CHECK(refusals.all()[0].address == "10.0.0.6");
}
