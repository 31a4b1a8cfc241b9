// SPDX-License-Identifier: MIT
#include "pairing/cluster.hpp"

#include "base/files.hpp"
#include "base/text.hpp"
#include "pairing/key_folders.hpp"

#include <algorithm>
#include <array>
#include <ifaddrs.h>
#include <memory>
#include <sstream>

#include <nlohmann/json.hpp>

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>

namespace longcord {

using nlohmann::json;

namespace {

constexpr std::size_t max_file = 1024 * 1024; // pmxcfs has none that is larger

bool is_ip_address(const std::string& text) {
    std::array<unsigned char, sizeof(in6_addr)> bytes{};
    return ::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 ||
           ::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

/// A name that can be a folder below /etc/pve/nodes.
bool is_node_name(std::string_view name) {
    return !name.empty() && name.size() <= max_device_string && name.front() != '.' &&
           std::ranges::all_of(name, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '.' || c == '_';
           });
}

std::string content(const std::filesystem::path& file) {
    const auto text = read_file(file, max_file);
    return text ? *text : std::string();
}

/// "AAAA" of "ssh-ed25519 AAAA": the best of them, and its type.
const std::string* best_key(const std::vector<std::string>& keys) {
    for (const auto& type : token_key_types())
        for (const auto& key : keys)
            if (key.starts_with(type + ' '))
                return &key;
    return nullptr;
}

std::string text_of(const sockaddr& address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const void* bytes = nullptr;
    if (address.sa_family == AF_INET) {
        bytes = &reinterpret_cast<const sockaddr_in&>(address).sin_addr;
    } else {
        const auto& six = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
        if (IN6_IS_ADDR_LINKLOCAL(&six))
            return {}; // says nothing without the Pi's own interface
        bytes = &six;
    }
    return ::inet_ntop(address.sa_family, bytes, text.data(), text.size()) ? text.data() : "";
}

/// Of the network interfaces that are up, IPv4 first.
std::vector<std::string> interface_addresses() {
    ifaddrs* raw = nullptr;
    if (::getifaddrs(&raw) != 0)
        return {};
    const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> all(raw, ::freeifaddrs);
    std::vector<std::string> found;
    for (const int family : {AF_INET, AF_INET6})
        for (const ifaddrs* each = all.get(); each; each = each->ifa_next) {
            constexpr unsigned up = IFF_UP | IFF_RUNNING;
            if (!each->ifa_addr || each->ifa_addr->sa_family != family ||
                (each->ifa_flags & up) != up || (each->ifa_flags & IFF_LOOPBACK))
                continue;
            if (const auto text = text_of(*each->ifa_addr); !text.empty())
                found.push_back(text);
        }
    return found;
}

} // namespace

std::map<std::string, std::string> parse_members(std::string_view text) {
    std::map<std::string, std::string> members;
    const json value = json::parse(text, nullptr, false);
    const auto list = value.is_object() ? value.find("nodelist") : value.end();
    if (!value.is_object() || list == value.end() || !list->is_object())
        return members;
    for (const auto& [name, node] : list->items()) {
        const auto ip = node.is_object() ? node.find("ip") : node.end();
        if (!is_node_name(name) || !node.is_object() || ip == node.end() || !ip->is_string())
            continue;
        const std::string& address = ip->get_ref<const std::string&>();
        if (is_ip_address(address))
            members[name] = address;
    }
    return members;
}

std::vector<std::string> host_keys_in(
    std::string_view known_hosts, const std::vector<std::string>& names) {
    std::vector<std::string> keys;
    std::istringstream lines{std::string(known_hosts)};
    for (std::string line; std::getline(lines, line) && keys.size() < max_host_keys;) {
        std::istringstream words(line);
        std::string hosts;
        std::string rest;
        words >> hosts;
        std::getline(words, rest);
        const auto key = parse_public_key(trim(rest));
        std::istringstream each(hosts);
        bool ours = false;
        for (std::string host; std::getline(each, host, ',');)
            ours = ours || std::ranges::find(names, host) != names.end();
        if (ours && key)
            keys.push_back(key->type + ' ' + key->blob);
    }
    return keys;
}

Result<std::vector<NodeAddress>> read_other_nodes(
    const Roots& roots, const std::string& this_node, unsigned ssh_port) {
    std::vector<NodeAddress> nodes;
    const PveState before = pve_state(roots);
    if (before == PveState::none)
        return nodes;
    const auto members = parse_members(content(roots.pve() / ".members"));
    // Proxmox before 8.2 keeps the keys of all nodes in one file.
    const std::string common = content(roots.pve() / "priv/known_hosts");
    for (const auto& [name, address] : members) {
        if (name == this_node || nodes.size() == max_link_nodes)
            continue;
        const std::vector<std::string> names{name, address};
        const auto own = content(roots.pve() / "nodes" / name / "ssh_known_hosts");
        NodeAddress node{name, address, ssh_port, host_keys_in(own, names)};
        if (node.host_keys.empty())
            node.host_keys = host_keys_in(common, names);
        if (!node.host_keys.empty())
            nodes.push_back(std::move(node));
    }
    if (pve_state(roots) != PveState::there)
        return fail(ErrorKind::unavailable, "/etc/pve is away");
    return nodes;
}

Result<TokenNode> token_node(const NodeAddress& node) {
    const std::string* key = best_key(node.host_keys);
    const auto parsed = key ? parse_public_key(*key) : fail(ErrorKind::not_found, "none");
    if (!parsed)
        return fail(ErrorKind::not_found, "{}: no host key that a token can name", node.name);
    return TokenNode{
        node.name,
        static_cast<std::uint16_t>(node.port),
        parsed->type,
        fingerprint_of(*parsed),
        {node.address}};
}

Result<TokenNode> read_this_node(
    const Roots& roots, const std::string& this_node, unsigned ssh_port,
    std::vector<std::string> addresses) {
    NodeAddress node{this_node, {}, ssh_port, {}};
    for (const char* kind : {"ed25519", "ecdsa", "rsa"}) {
        const auto file = roots.prefix / "etc/ssh" / fmt::format("ssh_host_{}_key.pub", kind);
        if (const auto key = parse_public_key(content(file)))
            node.host_keys.push_back(key->type + ' ' + key->blob);
    }
    auto token = token_node(node);
    if (!token)
        return fail(
            ErrorKind::not_found,
            "{}: no host key of sshd in /etc/ssh (ssh_host_*_key.pub); is "
            "openssh-server installed?",
            this_node);
    if (addresses.empty()) {
        const auto members = parse_members(content(roots.pve() / ".members"));
        if (const auto own = members.find(this_node); own != members.end())
            addresses.push_back(own->second);
        for (auto& address : interface_addresses())
            if (std::ranges::find(addresses, address) == addresses.end())
                addresses.push_back(std::move(address));
    }
    if (addresses.empty())
        return fail(
            ErrorKind::not_found,
            "{} has no network address; name one that the Pi can reach: "
            "longcord pair NAME --address HOST",
            this_node);
    addresses.resize(std::min(addresses.size(), max_token_addresses));
    token->addresses = std::move(addresses);
    return token;
}

} // namespace longcord
