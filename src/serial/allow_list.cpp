// SPDX-License-Identifier: MIT
#include "serial/allow_list.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include <arpa/inet.h>

namespace longcord {

static constexpr unsigned v4_bits = 96; // in front of an IPv4 address

static std::optional<Network> parse_address(std::string_view text) {
    const std::string address(text.substr(0, text.find('%')));
    Network out;
    in_addr v4{};
    if (::inet_pton(AF_INET, address.c_str(), &v4) == 1) {
        out.address[10] = out.address[11] = 0xff;
        std::memcpy(&out.address[12], &v4, sizeof v4);
        return out;
    }
    if (::inet_pton(AF_INET6, address.c_str(), out.address.data()) == 1)
        return out;
    return std::nullopt;
}

static bool is_v4(const Network& network) noexcept {
    constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return network.prefix >= v4_bits &&
           std::equal(mapped.begin(), mapped.end(), network.address.begin());
}

static void cut(Network& network) noexcept {
    for (unsigned bit = network.prefix; bit < 128; ++bit)
        network.address[bit / 8] &= static_cast<std::uint8_t>(~(0x80U >> bit % 8));
}

Result<Network> Network::parse(std::string_view text) {
    const auto slash = text.find('/');
    auto network = parse_address(text.substr(0, slash));
    if (!network)
        return fail(
            ErrorKind::invalid, "'{}' is no address or network (10.0.0.5, 10.0.0.0/8, fd00::/8)",
            text);
    if (slash == std::string_view::npos)
        return *network;
    const bool v4 = text.substr(0, slash).find(':') == std::string_view::npos;
    const unsigned max = v4 ? 32 : 128;
    const auto bits = parse_decimal(text.substr(slash + 1), max);
    if (!bits)
        return fail(ErrorKind::invalid, "'{}': after '/' comes a number from 0 to {}", text, max);
    network->prefix = *bits + (v4 ? v4_bits : 0);
    cut(*network);
    return *network;
}

bool Network::covers(const Network& other) const noexcept {
    if (other.prefix < prefix)
        return false;
    // "::1/64" means addresses of IPv6, and not that IPv4 is kept among them. ::/0 is everybody.
    if (prefix != 0 && prefix < v4_bits && is_v4(other))
        return false;
    Network theirs = other;
    theirs.prefix = prefix;
    cut(theirs);
    return theirs.address == address;
}

std::string Network::to_string() const {
    char text[INET6_ADDRSTRLEN] = {};
    if (is_v4(*this)) {
        ::inet_ntop(AF_INET, &address[12], text, sizeof text);
        return prefix == 128 ? text : fmt::format("{}/{}", text, prefix - v4_bits);
    }
    ::inet_ntop(AF_INET6, address.data(), text, sizeof text);
    return prefix == 128 ? text : fmt::format("{}/{}", text, prefix);
}

Result<> AllowList::add(std::string_view entry) {
    if (entry == "any") {
        everybody = true;
        return {};
    }
    if (entry == "local-net") {
        local_net = true;
        return {};
    }
    const auto network = Network::parse(entry);
    if (!network)
        return network.error();
    if (std::ranges::find(networks, *network) == networks.end())
        networks.push_back(*network);
    return {};
}

Result<bool> AllowList::remove(std::string_view entry) {
    if (entry == "any")
        return std::exchange(everybody, false);
    if (entry == "local-net")
        return std::exchange(local_net, false);
    const auto network = Network::parse(entry);
    if (!network)
        return network.error();
    return std::erase(networks, *network) > 0;
}

std::vector<std::string> AllowList::entries() const {
    std::vector<std::string> out;
    for (const Network& network : networks)
        out.push_back(network.to_string());
    if (local_net)
        out.emplace_back("local-net");
    if (everybody)
        out.emplace_back("any");
    return out;
}

bool AllowList::allows(std::string_view address, std::span<const Network> local) const {
    const auto client = parse_address(address);
    if (!client)
        return false;
    static const Network own_v4 = *Network::parse("127.0.0.0/8");
    static const Network own_v6 = *Network::parse("::1");
    const auto has_it = [&](const Network& network) { return network.covers(*client); };
    return everybody || has_it(own_v4) || has_it(own_v6) || std::ranges::any_of(networks, has_it) ||
           (local_net && std::ranges::any_of(local, has_it));
}

} // namespace longcord
