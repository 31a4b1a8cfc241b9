// SPDX-License-Identifier: MIT
// A node as the network tells of it: once for each interface and each kind of address, which a
// person has no use for.
#pragma once

#include <string>
#include <vector>

namespace longcord {

struct FoundNode {
    std::string name;
    std::string address;
    unsigned port = 0;
    std::string interface; ///< of this machine, where it was heard
    bool operator==(const FoundNode&) const = default;
};

/// Each node once, by name and port, in the order they were found, with the address that is the
/// easiest to read and works from anywhere: IPv4, then IPv6, and one of the link (RFC 4291, 2.5.6)
/// only where it has no other.
std::vector<FoundNode> one_address_each(const std::vector<FoundNode>& found);

} // namespace longcord
