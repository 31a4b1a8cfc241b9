// SPDX-License-Identifier: MIT
#include "serial/port_numbers.hpp"

#include <algorithm>
#include <set>

namespace longcord {

static bool taken(const std::string& place, std::uint16_t port, const PortNumbers& numbers) {
    return std::ranges::any_of(
        numbers, [&](const auto& entry) { return entry.second == port && entry.first != place; });
}

std::optional<std::uint16_t> serial_port_of(
    const std::string& place, PortNumbers& kept, const PortNumbers& fixed) {
    if (const auto at = fixed.find(place); at != fixed.end())
        return at->second;
    // Its own one may have been given to another place by hand since.
    if (const auto at = kept.find(place); at != kept.end() && !taken(place, at->second, fixed))
        return at->second;
    std::set<std::uint16_t> all;
    for (const PortNumbers* numbers : {&fixed, static_cast<const PortNumbers*>(&kept)})
        for (const auto& [other, port] : *numbers)
            if (other != place)
                all.insert(port);
    for (unsigned port = first_serial_port; port <= 65535; ++port) {
        const auto number = static_cast<std::uint16_t>(port);
        if (all.contains(number))
            continue;
        kept[place] = number;
        return number;
    }
    return std::nullopt;
}

} // namespace longcord
