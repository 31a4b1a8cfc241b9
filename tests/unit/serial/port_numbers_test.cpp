// SPDX-License-Identifier: MIT
#include "serial/port_numbers.hpp"

#include <doctest/doctest.h>

using namespace longcord;

TEST_CASE("the first place has 4000, the next ones what follows, and each keeps its port") {
    PortNumbers kept;
    CHECK(serial_port_of("b/1", kept, {}) == 4000);
    CHECK(serial_port_of("a/2", kept, {}) == 4001);
    CHECK(serial_port_of("b/1", kept, {}) == 4000);
    CHECK(kept == PortNumbers{{"b/1", 4000}, {"a/2", 4001}});
}

TEST_CASE("a port set by hand wins, also over the place that had it") {
    PortNumbers kept{{"a/1", 4000}};
    CHECK(serial_port_of("a/2", kept, {{"a/2", 4000}}) == 4000);
    CHECK(serial_port_of("a/1", kept, {{"a/2", 4000}}) == 4001);
    CHECK(serial_port_of("a/3", kept, {{"a/2", 4000}, {"a/9", 4002}}) == 4003);
}

TEST_CASE("a port set by hand is not remembered as given") {
    PortNumbers kept;
    CHECK(serial_port_of("a/1", kept, {{"a/1", 7000}}) == 7000);
    CHECK(serial_port_of("a/1", kept, {}) == 4000);
}

TEST_CASE("when all ports are given away there is none") {
    PortNumbers kept;
    for (unsigned port = 4000; port <= 65535; ++port)
        kept["x/" + std::to_string(port)] = static_cast<std::uint16_t>(port);
    CHECK_FALSE(serial_port_of("a/1", kept, {}).has_value());
    kept.erase("x/65535");
    CHECK(serial_port_of("a/1", kept, {}) == 65535);
}
