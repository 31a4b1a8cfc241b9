// SPDX-License-Identifier: MIT
#include "usb/topology.hpp"

#include "base/text.hpp"

namespace longcord {

/// "usb3": the root hub of bus 3.
static std::optional<unsigned> bus_of_root_hub(std::string_view name) {
    constexpr std::string_view prefix = "usb";
    if (!name.starts_with(prefix))
        return std::nullopt;
    const auto bus = parse_decimal(name.substr(prefix.size()));
    return bus && *bus > 0 ? bus : std::nullopt;
}

/// "0000:00:14.0": domain (four digits or more), bus, device, function.
static bool is_pci_address(std::string_view name) {
    const auto first = name.find(':');
    const auto second = name.find(':', first + 1);
    const auto dot = name.find('.', second + 1);
    if (first == std::string_view::npos || second == std::string_view::npos ||
        dot == std::string_view::npos)
        return false;
    return parse_hex(name.substr(0, first)) &&
           parse_hex(name.substr(first + 1, second - first - 1), 0xff) &&
           parse_hex(name.substr(second + 1, dot - second - 1), 0x1f) &&
           parse_hex(name.substr(dot + 1), 0x7);
}

std::string controller_of(std::string_view devpath) {
    for (std::string_view rest = devpath;;) {
        const auto slash = rest.rfind('/');
        if (slash == std::string_view::npos)
            return {};
        const std::string_view name = rest.substr(slash + 1);
        rest = rest.substr(0, slash);
        if (!bus_of_root_hub(name))
            continue;
        const std::string_view controller = rest.substr(rest.rfind('/') + 1);
        if (controller.empty())
            return {};
        return (is_pci_address(controller) ? "pci-" : "platform-") + std::string(controller);
    }
}

bool is_vhci(std::string_view devpath) {
    return controller_of(devpath).starts_with("platform-vhci_hcd");
}

std::optional<Place> place_of_port(std::string_view port) {
    constexpr std::string_view separator = "-port";
    const auto at = port.rfind(separator);
    if (at == std::string_view::npos)
        return std::nullopt;
    const auto number = parse_decimal(port.substr(at + separator.size()));
    if (!number || *number == 0)
        return std::nullopt;
    const std::string_view hub = port.substr(0, at);
    if (const auto bus = bus_of_root_hub(hub))
        return Place{{}, *bus, PortPath{{*number}}};
    auto place = Place::parse(hub);
    if (!place || !place->is_local())
        return std::nullopt;
    place->path.ports.push_back(*number);
    return *place;
}

} // namespace longcord
