// SPDX-License-Identifier: MIT
#include "pi/joined.hpp"

#include "base/text.hpp"
#include "link/link_fields.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace longcord {

using nlohmann::json;

namespace {

constexpr unsigned format_version = 1;
constexpr unsigned default_ssh_port = 22;
constexpr unsigned max_port = 0xffff;

json to_json(const NodeAddress& node) {
    return {
        {"name", node.name},
        {"address", node.address},
        {"port", node.port},
        {"host_keys", node.host_keys}};
}

NodeAddress node_from(LinkFields& fields) {
    NodeAddress node;
    node.name = fields.exact_text("name", max_device_string);
    node.address = fields.exact_text("address", max_device_string);
    node.port = fields.small_number("port", 1, max_port);
    const json* keys = fields.list("host_keys", max_host_keys);
    for (std::size_t i = 0; keys && i < keys->size(); ++i) {
        const auto* key = (*keys)[i].get_ptr<const json::string_t*>();
        if (key && key->size() <= max_host_key)
            node.host_keys.push_back(*key);
        else
            fields.refuse(fmt::format("host_keys[{}]", i), "is no host key");
    }
    return node;
}

JoinedCluster cluster_from(LinkFields& fields) {
    JoinedCluster cluster;
    cluster.pi = fields.exact_text("pi", max_device_string);
    const json* nodes = fields.list("nodes", max_link_nodes + 1);
    for (std::size_t i = 0; nodes && fields.refusal().none() && i < nodes->size(); ++i) {
        LinkFields each(fields.refusal(), (*nodes)[i], fields.path(fmt::format("nodes[{}]", i)));
        cluster.nodes.push_back(node_from(each));
    }
    return cluster;
}

bool is_one_line(std::string_view text) {
    return printable(text, max_host_key) == text;
}

NodeAddress* node_named(JoinedCluster& cluster, const std::string& name) {
    const auto at = std::ranges::find(cluster.nodes, name, &NodeAddress::name);
    return at == cluster.nodes.end() ? nullptr : &*at;
}

bool is_same(const JoinedCluster& one, const JoinedCluster& other) {
    for (const auto& node : one.nodes)
        for (const auto& same : other.nodes)
            if (node.name == same.name &&
                std::ranges::any_of(node.host_keys, [&](const std::string& key) {
                    return std::ranges::find(same.host_keys, key) != same.host_keys.end();
                }))
                return true;
    return false;
}

} // namespace

std::string format(const JoinedClusters& clusters) {
    json list = json::array();
    for (const auto& cluster : clusters) {
        json nodes = json::array();
        for (const auto& node : cluster.nodes)
            nodes.push_back(to_json(node));
        list.push_back({{"pi", cluster.pi}, {"nodes", std::move(nodes)}});
    }
    const json value = {{"version", format_version}, {"clusters", std::move(list)}};
    return value.dump(2, ' ', false, json::error_handler_t::replace) + '\n';
}

Result<JoinedClusters> parse_joined(std::string_view text, const std::string& file) {
    LinkRefusal refusal(file);
    const json value = json::parse(text, nullptr, false);
    LinkFields fields(refusal, value);
    if (refusal.none())
        fields.small_number("version", format_version, format_version);
    JoinedClusters clusters;
    const json* list = refusal.none() ? fields.list("clusters", max_clusters) : nullptr;
    for (std::size_t i = 0; list && refusal.none() && i < list->size(); ++i) {
        LinkFields each(refusal, (*list)[i], fmt::format("clusters[{}]", i));
        clusters.push_back(cluster_from(each));
    }
    if (!refusal.none())
        return refusal.error();
    return clusters;
}

std::string known_hosts_of(const JoinedClusters& clusters) {
    std::string text = "# Written by longcord-pi: the host keys of the nodes that it joined.\n";
    for (const auto& cluster : clusters)
        for (const auto& node : cluster.nodes)
            for (const auto& key : node.host_keys) {
                if (!is_one_line(key) || !is_one_line(node.address))
                    continue;
                const std::string host = node.port == default_ssh_port
                                             ? node.address
                                             : fmt::format("[{}]:{}", node.address, node.port);
                text += fmt::format("{} {}\n", host, key);
            }
    return text;
}

void join_cluster(JoinedClusters& clusters, JoinedCluster joined) {
    std::erase_if(clusters, [&](const JoinedCluster& cluster) { return is_same(cluster, joined); });
    if (clusters.size() == max_clusters)
        clusters.erase(clusters.begin());
    clusters.push_back(std::move(joined));
}

bool learn_nodes(
    JoinedClusters& clusters, const std::string& told_by, const std::vector<NodeAddress>& nodes,
    const std::function<bool(const NodeAddress&)>& is_linked) {
    const auto cluster = std::ranges::find_if(
        clusters, [&](JoinedCluster& each) { return node_named(each, told_by) != nullptr; });
    if (cluster == clusters.end() || nodes.empty())
        return false;
    const JoinedCluster before = *cluster;
    std::erase_if(cluster->nodes, [&](const NodeAddress& known) {
        return known.name != told_by && !is_linked(known) &&
               std::ranges::find(nodes, known.name, &NodeAddress::name) == nodes.end();
    });
    for (const auto& node : nodes) {
        NodeAddress* known = node_named(*cluster, node.name);
        if (known && !is_linked(*known))
            *known = node;
        else if (!known && cluster->nodes.size() <= max_link_nodes)
            cluster->nodes.push_back(node);
    }
    return *cluster != before;
}

const JoinedCluster* cluster_with(const JoinedClusters& clusters, std::string_view node) {
    for (const auto& cluster : clusters)
        for (const auto& each : cluster.nodes)
            if (each.name == node || each.address == node)
                return &cluster;
    return nullptr;
}

} // namespace longcord
