// SPDX-License-Identifier: MIT
// The clusters that this Pi has joined: which nodes each has, where they are, and how to know them.
// It is the only thing about links that is kept on the Pi's disk besides its key; what stands in
// pi.yaml is another matter and never touched. Pure.
#pragma once

#include "link/message.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace longcord {

/// Nodes that share one pairing. A single node is a cluster of one.
struct JoinedCluster {
    std::string pi; ///< what these nodes call this Pi
    std::vector<NodeAddress> nodes;
    bool operator==(const JoinedCluster&) const = default;
};
using JoinedClusters = std::vector<JoinedCluster>;

constexpr std::size_t max_clusters = 16;
constexpr std::size_t max_joined_file = 1024 * 1024;

std::string format(const JoinedClusters& clusters);
/// `file` is for messages. What is beyond a limit is refused as a whole.
Result<JoinedClusters> parse_joined(std::string_view text, const std::string& file);

/// What ssh clients call a known_hosts file: one line a host key.
std::string known_hosts_of(const JoinedClusters& clusters);

/// A pairing is done. A cluster that it was joined to before is replaced: it is the same one where
/// a node has the same name and a host key in common.
void join_cluster(JoinedClusters& clusters, JoinedCluster joined);

/// A linked node said who the others are. New ones are added; those that are linked now stay as
/// they are, for what works is right; others take the new address and keys, and are forgotten where
/// they are in the list no more. An empty list says nothing. True where anything changed.
bool learn_nodes(
    JoinedClusters& clusters, const std::string& told_by, const std::vector<NodeAddress>& nodes,
    const std::function<bool(const NodeAddress&)>& is_linked);

/// The cluster that has a node of this name or address; nullptr: none.
const JoinedCluster* cluster_with(const JoinedClusters& clusters, std::string_view node);

} // namespace longcord
