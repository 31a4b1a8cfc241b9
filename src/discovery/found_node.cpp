// SPDX-License-Identifier: MIT
#include "discovery/found_node.hpp"

#include <algorithm>

namespace longcord {

static int rank(const FoundNode& node) {
    if (node.address.find(':') == std::string::npos)
        return 0;
    return node.address.starts_with("fe80:") ? 2 : 1;
}

std::vector<FoundNode> one_address_each(const std::vector<FoundNode>& found) {
    std::vector<FoundNode> out;
    for (const FoundNode& node : found) {
        const auto known = std::ranges::find_if(out, [&](const FoundNode& other) {
            return other.name == node.name && other.port == node.port;
        });
        if (known == out.end())
            out.push_back(node);
        else if (rank(node) < rank(*known))
            *known = node;
    }
    return out;
}

} // namespace longcord
