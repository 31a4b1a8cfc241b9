// SPDX-License-Identifier: MIT
// One line of a VM's .usb.conf, understood: a place, what must be true of the device there, and how
// it is to be plugged.
#pragma once

#include "rules/place_pattern.hpp"
#include "rules/usb_host_option.hpp"
#include "usb/device.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace longcord {

constexpr unsigned max_guest_port = 15;     ///< qemu-xhci: p2=15,p3=15
constexpr unsigned max_configuration = 255; ///< bConfigurationValue is a byte, 0 is unconfigured

struct Rule {
    PlacePattern place;
    bool deny = false;  ///< "!": never, whatever the VM's other lines say
    bool force = false; ///< also where a guard would refuse: a disk in use, a usbN: line, ...

    // Qualifiers: all of them must be true.
    std::optional<UsbId> id;
    std::optional<std::string> serial;
    std::optional<std::string> product;
    std::optional<std::uint8_t> device_class;

    // Options: they change how a device is plugged, not which.
    std::optional<unsigned> guest_port;    ///< 1..max_guest_port
    std::optional<unsigned> configuration; ///< 1..max_configuration
    Properties properties;                 ///< of usb-host, from the allow-list

    unsigned line = 0;   ///< in its file, from 1
    unsigned column = 0; ///< of its first character, from 1
    std::string text;    ///< as written, without the comment

    bool operator==(const Rule&) const = default;
};

/// Canonical text of a rule: parses back to a rule that means the same.
std::string format_rule(const Rule& rule);

/// The part of it that says which devices: place and qualifiers, without "!", force and options.
std::string format_selection(const Rule& rule);

/// Equal but for where and how it was written.
bool same_meaning(const Rule& a, const Rule& b);

} // namespace longcord
