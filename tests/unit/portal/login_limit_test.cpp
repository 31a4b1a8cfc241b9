// SPDX-License-Identifier: MIT
#include "portal/login_limit.hpp"

#include <doctest/doctest.h>

using namespace longcord;

static constexpr TimePoint start{};

TEST_CASE("five tries at once, then one every 12 seconds") {
    LoginLimit limit;
    for (int i = 0; i < 5; ++i)
        CHECK(!limit.take("10.0.0.1", start));
    CHECK(limit.take("10.0.0.1", start) == seconds(12));
    CHECK(limit.take("10.0.0.1", start + seconds(11)) == seconds(1));
    CHECK(!limit.take("10.0.0.1", start + seconds(12)));
    CHECK(limit.take("10.0.0.1", start + seconds(12)));
}

TEST_CASE("one address does not lock another one out") {
    LoginLimit limit;
    for (int i = 0; i < 100; ++i)
        limit.take("10.0.0.1", start);
    CHECK(!limit.take("10.0.0.2", start));
}

TEST_CASE("the right password clears what was mistyped before") {
    LoginLimit limit;
    for (int i = 0; i < 5; ++i)
        limit.take("10.0.0.1", start);
    limit.forget("10.0.0.1");
    CHECK(!limit.take("10.0.0.1", start));
}

TEST_CASE("all addresses together are slowed down too") {
    LoginLimit limit;
    int taken = 0;
    for (int i = 0; i < 500; ++i)
        taken += limit.take(std::to_string(i), start) ? 0 : 1;
    CHECK(taken == 60);
    CHECK(!limit.take("late", start + seconds(1)));
    CHECK(limit.take("later", start + seconds(1)));
}

TEST_CASE("an IPv6 address counts as its /64, a mapped IPv4 address as itself") {
    CHECK(limited_address("10.0.0.1") == "10.0.0.1");
    CHECK(limited_address("::ffff:10.0.0.1") == "10.0.0.1");
    CHECK(limited_address("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::");
    CHECK(limited_address("fe80::1%eth0") == "fe80::");
}
