// SPDX-License-Identifier: MIT
#include "config/serial_place.hpp"

#include "base/text.hpp"
#include "usb/place.hpp"

namespace longcord {

bool is_own_place(std::string_view text) {
    const auto slash = text.rfind('/');
    if (slash == std::string_view::npos) {
        const auto place = Place::parse(text);
        return place && place->is_local();
    }
    const std::string_view controller = text.substr(0, slash);
    return (controller.starts_with("pci-") || controller.starts_with("platform-")) &&
           PortPath::parse(text.substr(slash + 1)).has_value();
}

/// "1.1": configuration and interface, as the kernel has them (bytes of the USB descriptors).
static bool is_interface(std::string_view text) {
    const auto dot = text.find('.');
    return dot != std::string_view::npos && parse_decimal(text.substr(0, dot), 255) &&
           parse_decimal(text.substr(dot + 1), 255);
}

bool is_serial_place(std::string_view text) {
    if (is_own_place(text))
        return true;
    // A controller's name may have colons of its own; the interface follows the last one.
    const auto colon = text.rfind(':');
    return colon != std::string_view::npos && is_own_place(text.substr(0, colon)) &&
           is_interface(text.substr(colon + 1));
}

} // namespace longcord
