// SPDX-License-Identifier: MIT
#include "base/files.hpp"
#include "pairing/cluster.hpp"
#include "pairing_folder.hpp"

#include <doctest/doctest.h>

using namespace longcord;

static const std::string ed25519 =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
static const std::string other =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea";
static const std::string members = R"({"nodename":"pve1","version":5,
    "cluster":{"name":"c","version":3,"nodes":3,"quorate":1},
    "nodelist":{"pve1":{"id":1,"online":1,"ip":"10.77.0.1"},
                "pve2":{"id":2,"online":0,"ip":"10.77.0.3"},
                "pve3":{"id":3,"online":1,"ip":"fd00::3"}}})";

TEST_CASE("the members are who pmxcfs says they are, online or not") {
    CHECK(
        parse_members(members) ==
        std::map<std::string, std::string>{
            {"pve1", "10.77.0.1"}, {"pve2", "10.77.0.3"}, {"pve3", "fd00::3"}});
    for (const char* none :
         {"", "[]", "{}", R"({"nodename":"pve1","version":0})", R"({"nodelist":[]})",
          R"({"nodelist":{"a":1,"b":{},"c":{"ip":5},"d":{"ip":"example.org"},
              "../e":{"ip":"10.0.0.1"},"":{"ip":"10.0.0.1"}}})"})
        CHECK_MESSAGE(parse_members(none).empty(), none);
}

TEST_CASE("host keys are those that stand under the node's name or address") {
    const std::string text = "\n# comment\npve2 " + ed25519 + "\n10.77.0.3,x " + other +
                             " root@pve2\npve22 " + ed25519 + "\n@revoked pve2 " + ed25519 +
                             "\n|1|abc|def " + ed25519 + "\npve2 ssh-ed25519 garbage\npve2\n";
    CHECK(host_keys_in(text, {"pve2", "10.77.0.3"}) == std::vector<std::string>{ed25519, other});
    std::string many;
    for (std::size_t i = 0; i < max_host_keys + 1; ++i)
        many += "pve2 " + ed25519 + '\n';
    CHECK(host_keys_in(many, {"pve2"}).size() == max_host_keys);
}

TEST_CASE("the other nodes of a cluster") {
    const PairingFolder folder;
    const Roots roots = folder.roots();
    CHECK(read_other_nodes(roots, "pve1", 22)->empty()); // no Proxmox host
    folder.make_pve();
    folder.write("etc/pve/.members", members);
    folder.write("etc/pve/nodes/pve2/ssh_known_hosts", "pve2 " + ed25519 + '\n');
    CHECK(
        *read_other_nodes(roots, "pve1", 2222) ==
        std::vector<NodeAddress>{{"pve2", "10.77.0.3", 2222, {ed25519}}}); // pve3 has no key
    folder.write("etc/pve/priv/known_hosts", "pve3,fd00::3 " + other + '\n');
    CHECK(
        read_other_nodes(roots, "pve1", 22)->back() == NodeAddress{"pve3", "fd00::3", 22, {other}});
    folder.take_pve_away();
    CHECK(read_other_nodes(roots, "pve1", 22).error().kind == ErrorKind::unavailable);
}

TEST_CASE("this node: its sshd's best key, and where it can be reached") {
    const PairingFolder folder;
    const Roots roots = folder.roots();
    CHECK(read_this_node(roots, "pve1", 22, {"a"}).error().kind == ErrorKind::not_found);
    folder.write("etc/ssh/ssh_host_ed25519_key.pub", ed25519 + " root@pve1\n");
    const auto given = read_this_node(roots, "pve1", 2222, {"a", "b", "c", "d", "e"});
    REQUIRE(given.has_value());
    CHECK(given->addresses == std::vector<std::string>{"a", "b", "c", "d"});
    CHECK(given->port == 2222);
    CHECK(given->fingerprint == fingerprint_of(*parse_public_key(ed25519)));
    folder.make_pve();
    folder.write("etc/pve/.members", members);
    CHECK(read_this_node(roots, "pve1", 22, {})->addresses[0] == "10.77.0.1");
}
