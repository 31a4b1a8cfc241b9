// SPDX-License-Identifier: MIT
// Where the nodes of the cluster are and how to know them: pmxcfs shows who they are (.members),
// and Proxmox keeps their host keys (nodes/NAME/ssh_known_hosts). This is what a Pi is told, so
// that it can link with all of them after a pairing with one.
//
// Reading is blocking and can hang in /etc/pve: for worker threads.
#pragma once

#include "base/roots.hpp"
#include "link/message.hpp"
#include "pairing/token.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace longcord {

/// pmxcfs' .members: name to address, this node included. Empty for anything else: a node that is
/// in no cluster has no list.
std::map<std::string, std::string> parse_members(std::string_view json);

/// The keys ("ssh-ed25519 AAAA...") that a known_hosts text has under one of these names, at most
/// max_host_keys. Hashed names and lines with a marker are nobody's.
std::vector<std::string> host_keys_in(
    std::string_view known_hosts, const std::vector<std::string>& names);

/// The cluster's other nodes, those whose address and host key are known, ordered by name.
/// ErrorKind::unavailable while pmxcfs is away.
Result<std::vector<NodeAddress>> read_other_nodes(
    const Roots& roots, const std::string& this_node, unsigned ssh_port);

/// This node as a token has it. `addresses`: where those stand that a Pi shall try; empty: the
/// cluster's address of this node, then those of its network interfaces. ErrorKind::not_found where
/// there is no host key or no address.
Result<TokenNode> read_this_node(
    const Roots& roots, const std::string& this_node, unsigned ssh_port,
    std::vector<std::string> addresses);

/// Another node as a token has it: by the best of its host keys.
Result<TokenNode> token_node(const NodeAddress& node);

} // namespace longcord
