// SPDX-License-Identifier: MIT
// The part of Links that is about joined nodes.
#include "pi/links.hpp"

#include <algorithm>

namespace longcord {

static Address address_of(const NodeAddress& node) {
    return {node.address, static_cast<std::uint16_t>(node.port)};
}

std::filesystem::path Links::below_root(const std::filesystem::path& file) const {
    return roots_.prefix / file.relative_path();
}

void Links::set_joined(const JoinedClusters& clusters) {
    joined_ = clusters;
    link_as_wanted(false);
}

std::vector<Links::Wanted> Links::wanted() const {
    std::vector<Wanted> all;
    for (const auto& address : config_.nodes)
        all.push_back({address, false, {}});
    for (const auto& cluster : joined_)
        for (const auto& node : cluster.nodes) {
            const Address address = address_of(node);
            if (std::ranges::find(all, address, &Wanted::address) == all.end())
                all.push_back({address, true, node.name});
        }
    return all;
}

const Links::Link* Links::joined_link(const NodeAddress& node) const {
    for (const auto& link : links_)
        if (link->joined && link->address == address_of(node))
            return link.get();
    return nullptr;
}

bool Links::is_linked(const NodeAddress& node) const {
    const Link* link = joined_link(node);
    return link && link->client->linked();
}

bool Links::say_leave(const NodeAddress& node) {
    const Link* link = joined_link(node);
    if (!link || !link->client->linked())
        return false;
    link->client->send(Leave{});
    return true;
}

Task<bool> Links::wait_for(std::string node, bool linked, milliseconds at_most) {
    const TimePoint end = Clock::now() + at_most;
    for (;;) {
        const bool now = std::ranges::any_of(links_, [&](const std::unique_ptr<Link>& link) {
            return link->node == node && link->client->linked();
        });
        if (now == linked)
            co_return true;
        if (Clock::now() >= end)
            co_return false;
        co_await next_change(end);
    }
}

} // namespace longcord
