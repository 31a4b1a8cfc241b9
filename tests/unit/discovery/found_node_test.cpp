// SPDX-License-Identifier: MIT
#include "discovery/found_node.hpp"

#include <doctest/doctest.h>

using namespace longcord;

using Nodes = std::vector<FoundNode>;

TEST_CASE("a node that is heard of by every kind of address is one node") {
    const FoundNode link{"pve1", "fe80::1", 22, "eth0"};
    const FoundNode far{"pve1", "2001:db8::1", 22, "eth0"};
    const FoundNode plain{"pve1", "192.0.2.1", 22, "eth0"};
    CHECK(one_address_each({link, far, plain}) == Nodes{plain});
    CHECK(one_address_each({plain, far, link}) == Nodes{plain});
    CHECK(one_address_each({link, far}) == Nodes{far});
    CHECK(one_address_each({link}) == Nodes{link});
}

TEST_CASE("the first interface is as good as any other") {
    const FoundNode here{"pve1", "192.0.2.1", 22, "eth0"};
    const FoundNode there{"pve1", "198.51.100.1", 22, "eth1"};
    CHECK(one_address_each({here, there, here}) == Nodes{here});
}

TEST_CASE("nodes of other names and ports are others, in the order they were found") {
    const Nodes all = {
        {"pve2", "192.0.2.2", 22, "eth0"},
        {"pve1", "192.0.2.1", 22, "eth0"},
        {"pve1", "192.0.2.1", 2222, "eth0"}};
    CHECK(one_address_each(all) == all);
    CHECK(one_address_each({}).empty());
}
