// SPDX-License-Identifier: MIT
#include "serial/allow_list.hpp"

#include <doctest/doctest.h>

using namespace longcord;

static Network net(std::string_view text) {
    return Network::parse(text).value();
}

TEST_CASE("networks cover by whole bits") {
    CHECK(net("10.0.0.0/8").covers(net("10.255.0.1")));
    CHECK_FALSE(net("10.0.0.0/8").covers(net("11.0.0.1")));
    CHECK(net("10.0.0.4/30").covers(net("10.0.0.7")));
    CHECK_FALSE(net("10.0.0.4/30").covers(net("10.0.0.8")));
    CHECK(net("0.0.0.0/0").covers(net("203.0.113.9")));
    CHECK_FALSE(net("0.0.0.0/0").covers(net("2001:db8::1")));
    CHECK(net("::/0").covers(net("203.0.113.9")));
    CHECK_FALSE(net("::1/64").covers(net("203.0.113.9")));
    CHECK_FALSE(net("::/1").covers(net("203.0.113.9")));
    CHECK(net("::1/64").covers(net("::2")));
    CHECK(net("::ffff:10.0.0.0/104").covers(net("10.255.0.1")));
    CHECK_FALSE(net("::ffff:10.0.0.0/104").covers(net("11.0.0.1")));
    CHECK(net("fd00::/8").covers(net("fd12::1")));
    CHECK_FALSE(net("fd00::/8").covers(net("fe80::1")));
    CHECK_FALSE(net("10.0.0.4/30").covers(net("10.0.0.0/8")));
}

TEST_CASE("an address with bits behind its prefix is its network") {
    CHECK(net("10.1.2.3/8") == net("10.0.0.0/8"));
    CHECK(net("10.1.2.3/8").to_string() == "10.0.0.0/8");
    CHECK(net("fd00::1/64").to_string() == "fd00::/64");
    CHECK(net("10.1.2.3").to_string() == "10.1.2.3");
}

TEST_CASE("an IPv4 client that came through an IPv6 socket is the same client") {
    CHECK(net("10.0.0.0/8").covers(net("::ffff:10.1.1.1")));
}

TEST_CASE("what is no network is refused") {
    for (const char* text :
         {"", "10", "10.0.0", "10.0.0.0/33", "fd00::/129", "10.0.0.0/", "10.0.0.0/-1", "host",
          "10.0.0.0/8/8", "local"}) {
        CAPTURE(text);
        CHECK_FALSE(Network::parse(text).has_value());
    }
}

TEST_CASE("this machine always may, others only when listed") {
    AllowList list;
    CHECK(list.allows("127.0.0.1", {}));
    CHECK(list.allows("127.8.8.8", {}));
    CHECK(list.allows("::1", {}));
    CHECK_FALSE(list.allows("10.0.0.5", {}));
    CHECK_FALSE(list.allows("nonsense", {}));
    REQUIRE(list.add("10.0.0.0/24").has_value());
    CHECK(list.allows("10.0.0.5", {}));
    CHECK_FALSE(list.allows("10.0.1.5", {}));
    CHECK_FALSE(list.add("10.0.0.0/99").has_value());
    REQUIRE(list.add("any").has_value());
    CHECK(list.allows("203.0.113.9", {}));
}

TEST_CASE("local-net is whatever this machine's networks are now") {
    AllowList list;
    const std::vector<Network> local{net("192.168.1.0/24"), net("fe80::/64")};
    CHECK_FALSE(list.allows("192.168.1.9", local));
    REQUIRE(list.add("local-net").has_value());
    CHECK(list.allows("192.168.1.9", local));
    CHECK(list.allows("fe80::5%eth0", local));
    CHECK_FALSE(list.allows("192.168.2.9", local));
}
