// SPDX-License-Identifier: MIT
#include "serial/allow_list.hpp"

#include <bit>
#include <cstring>
#include <ifaddrs.h>
#include <memory>

#include <net/if.h>
#include <netinet/in.h>

namespace longcord {

static unsigned bits_of(const std::uint8_t* mask, std::size_t size) {
    unsigned bits = 0;
    for (std::size_t i = 0; i < size; ++i)
        bits += static_cast<unsigned>(std::popcount(mask[i]));
    return bits;
}

std::vector<Network> local_networks() {
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) != 0)
        return {};
    const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(list, &::freeifaddrs);
    std::vector<Network> out;
    for (const ifaddrs* at = list; at; at = at->ifa_next) {
        if (!at->ifa_addr || !at->ifa_netmask || (at->ifa_flags & IFF_LOOPBACK) != 0)
            continue;
        Network network;
        if (at->ifa_addr->sa_family == AF_INET) {
            sockaddr_in address{};
            sockaddr_in mask{};
            std::memcpy(&address, at->ifa_addr, sizeof address);
            std::memcpy(&mask, at->ifa_netmask, sizeof mask);
            std::uint8_t bytes[4];
            std::memcpy(bytes, &mask.sin_addr, sizeof bytes);
            network.address[10] = network.address[11] = 0xff;
            std::memcpy(&network.address[12], &address.sin_addr, 4);
            network.prefix = 96 + bits_of(bytes, 4);
        } else if (at->ifa_addr->sa_family == AF_INET6) {
            sockaddr_in6 address{};
            sockaddr_in6 mask{};
            std::memcpy(&address, at->ifa_addr, sizeof address);
            std::memcpy(&mask, at->ifa_netmask, sizeof mask);
            std::memcpy(network.address.data(), &address.sin6_addr, 16);
            network.prefix = bits_of(mask.sin6_addr.s6_addr, 16);
        } else {
            continue;
        }
        // Through its text, so that the bits behind the prefix are cut off.
        const std::string text = network.to_string();
        if (const auto cut = Network::parse(text))
            out.push_back(*cut);
    }
    return out;
}

} // namespace longcord
