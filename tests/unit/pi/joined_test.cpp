// SPDX-License-Identifier: MIT
#include "pi/joined.hpp"

#include <doctest/doctest.h>

using namespace longcord;

namespace {

const NodeAddress pve1{"pve1", "10.77.0.1", 22, {"ssh-ed25519 AAAA1"}};
const NodeAddress pve2{"pve2", "10.77.0.3", 2222, {"ssh-ed25519 AAAA2", "ssh-rsa AAAA3"}};
const NodeAddress pve3{"pve3", "fd00::3", 22, {"ssh-ed25519 AAAA4"}};

JoinedClusters joined() {
    return {{"workbench", {pve1, pve2}}};
}

const auto none_linked = [](const NodeAddress&) { return false; };
const auto all_linked = [](const NodeAddress&) { return true; };

} // namespace

TEST_CASE("what was joined is the same after a restart") {
    const JoinedClusters clusters{{"workbench", {pve1, pve2}}, {"bench", {pve3}}};
    CHECK(*parse_joined(format(clusters), "f") == clusters);
    CHECK(parse_joined(R"({"version":1,"clusters":[]})", "f")->empty());
    for (const char* bad :
         {"", "[]", "{}", R"({"version":2,"clusters":[]})", R"({"version":1})",
          R"({"version":1,"clusters":[{"pi":"a"}]})",
          R"({"version":1,"clusters":[{"pi":"a","nodes":[{"name":"n"}]}]})"}) {
        CAPTURE(bad);
        const auto parsed = parse_joined(bad, "/var/lib/longcord/joined.json");
        REQUIRE(!parsed);
        CHECK(parsed.error().message.starts_with("/var/lib/longcord/joined.json: "));
    }
}

TEST_CASE("the host keys, as ssh writes them") {
    const std::string text = known_hosts_of({{"workbench", {pve1, pve2, pve3}}});
    CHECK(
        text.find("\n10.77.0.1 ssh-ed25519 AAAA1\n[10.77.0.3]:2222 ssh-ed25519 AAAA2\n"
                  "[10.77.0.3]:2222 ssh-rsa AAAA3\nfd00::3 ssh-ed25519 AAAA4\n") !=
        std::string::npos);
    NodeAddress evil = pve1;
    evil.host_keys = {"ssh-ed25519 AAAA1\n* ssh-ed25519 EVIL"};
    CHECK(known_hosts_of({{"w", {evil}}}).find("EVIL") == std::string::npos);
}

TEST_CASE("joining again replaces that cluster, and no other") {
    auto clusters = joined();
    join_cluster(clusters, {"other", {pve3}});
    CHECK(clusters.size() == 2);
    join_cluster(clusters, {"renamed", {pve2}});
    REQUIRE(clusters.size() == 2);
    CHECK(clusters[0].pi == "other");
    CHECK(clusters[1].pi == "renamed");
    NodeAddress namesake = pve3; // another machine that has the same name
    namesake.host_keys = {"ssh-ed25519 OTHER"};
    join_cluster(clusters, {"third", {namesake}});
    CHECK(clusters.size() == 3);
}

TEST_CASE("a new node of the cluster is learned") {
    auto clusters = joined();
    CHECK(learn_nodes(clusters, "pve1", {pve2, pve3}, all_linked));
    CHECK(clusters[0].nodes == std::vector<NodeAddress>{pve1, pve2, pve3});
    CHECK_FALSE(learn_nodes(clusters, "pve1", {pve2, pve3}, all_linked));
    CHECK_FALSE(learn_nodes(clusters, "stranger", {pve3}, all_linked));
}

TEST_CASE("one that has moved is followed, unless it is linked where it was") {
    NodeAddress moved = pve2;
    moved.address = "10.77.0.9";
    auto clusters = joined();
    CHECK_FALSE(learn_nodes(clusters, "pve1", {moved}, all_linked));
    CHECK(learn_nodes(clusters, "pve1", {moved}, none_linked));
    CHECK(clusters[0].nodes == std::vector<NodeAddress>{pve1, moved});
}

TEST_CASE("one that left the cluster is forgotten, unless it is linked or nothing was said") {
    auto clusters = joined();
    CHECK_FALSE(learn_nodes(clusters, "pve1", {}, none_linked));
    CHECK(learn_nodes(clusters, "pve1", {pve3}, all_linked));
    CHECK(clusters[0].nodes.size() == 3);
    CHECK(learn_nodes(clusters, "pve1", {pve3}, none_linked));
    CHECK(clusters[0].nodes == std::vector<NodeAddress>{pve1, pve3}); // never the one that says it
}

TEST_CASE("a cluster is named by any of its nodes, by name or address") {
    const auto clusters = joined();
    CHECK(cluster_with(clusters, "pve2") == &clusters[0]);
    CHECK(cluster_with(clusters, "10.77.0.1") == &clusters[0]);
    CHECK(cluster_with(clusters, "pve") == nullptr);
}
