// SPDX-License-Identifier: MIT
#include "pi/serial_wishes.hpp"

#include <algorithm>

namespace longcord {

using asio::ip::tcp;

/// pi.yaml names a place by bus or by controller; by controller counts more.
template <class Value>
static const Value* said_of(
    const SerialChannel& channel, const std::map<std::string, Value>& by_place) {
    for (const auto& place : {channel.stable_place, channel.place})
        if (const auto found = by_place.find(place); found != by_place.end())
            return &found->second;
    return nullptr;
}

/// Those of places that are not served now stay under the name they were written with: nobody
/// else may have these ports.
static PortNumbers fixed_ports(
    const std::vector<SerialChannel>& channels, const SerialConfig& config) {
    PortNumbers fixed = config.ports;
    for (const SerialChannel& channel : channels) {
        const auto* port = said_of(channel, config.ports);
        if (!channel.first || !port)
            continue;
        const std::uint16_t number = *port;
        fixed.erase(channel.place);
        fixed[channel.key] = number;
    }
    return fixed;
}

static std::vector<tcp::endpoint> endpoints(
    const std::vector<std::string>& addresses, unsigned port) {
    std::vector<tcp::endpoint> out;
    for (const std::string& text : addresses) {
        boost::system::error_code error;
        const auto address = asio::ip::make_address(text, error); // checked when pi.yaml was read
        if (!error && port <= 65535)
            out.emplace_back(address, static_cast<std::uint16_t>(port));
    }
    return out;
}

static std::filesystem::path log_of(const SerialChannel& channel, const SerialConfig& config) {
    if (config.logs.empty())
        return {};
    std::string name = channel.key;
    std::ranges::replace(name, '/', '-');
    return config.logs / (name + ".log");
}

std::vector<SerialWish> serial_wishes(
    const std::vector<SerialChannel>& channels, const SerialConfig& config, PortNumbers& kept) {
    const auto fixed = fixed_ports(channels, config);
    std::vector<SerialWish> out;
    for (const SerialChannel& channel : channels) {
        const auto port = serial_port_of(channel.key, kept, fixed);
        if (!port)
            continue;
        SerialWish wish;
        wish.key = channel.key;
        wish.device = channel.tty;
        wish.options.name = channel.name;
        wish.options.listen = endpoints(config.listen, *port);
        if (config.observers)
            wish.options.observe = endpoints(config.listen, *port + serial_observer_offset);
        if (const auto* mode = said_of(channel, config.modes))
            wish.options.mode = *mode;
        wish.options.hold = config.hold;
        wish.options.log = log_of(channel, config);
        out.push_back(std::move(wish));
    }
    return out;
}

} // namespace longcord
