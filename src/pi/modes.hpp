// SPDX-License-Identifier: MIT
// What the admin wants of a device, said with `longcord mode` and kept across reboot: usbip, serial
// or off, for a place or for a device wherever it is plugged. Places are kept by controller, since
// bus numbers move at reboot. Pure.
#pragma once

#include "usb/device.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace longcord {

enum class DeviceMode {
    usbip,  ///< for VMs
    serial, ///< its own driver has it here, and its port is served
    off,    ///< it is this machine's own
};
std::string_view to_string(DeviceMode mode) noexcept;
std::optional<DeviceMode> parse_device_mode(std::string_view word) noexcept;

/// "platform-fe9c0000.xhci/1.2": a place that a reboot does not move.
struct ControllerPlace {
    std::string controller;
    PortPath path;

    /// At the last slash: a controller's name has none.
    static Result<ControllerPlace> parse(std::string_view text);
    std::string to_string() const;
    auto operator<=>(const ControllerPlace&) const = default;
};

/// A device wherever it is plugged. An empty serial number: all devices of this id.
struct DeviceIdentity {
    UsbId id;
    std::string serial;
    auto operator<=>(const DeviceIdentity&) const = default;
};

struct Modes {
    /// Of each place and what is below it; the longest one counts.
    std::map<ControllerPlace, DeviceMode> places;
    /// A place counts more; one with a serial number more than one without.
    std::map<DeviceIdentity, DeviceMode> devices;

    /// Disconnected by hand until `resume`: whatever is plugged there goes to no node. The place
    /// itself, and not what is below it.
    std::set<ControllerPlace> paused;

    std::optional<DeviceMode> of(const Device& device) const;
    bool is_paused(const Device& device) const;
    bool operator==(const Modes&) const = default;
};

std::string format_modes(const Modes& modes);
/// invalid: it is no such file; the message says where. Entries beyond max_modes are an error too.
Result<Modes> parse_modes(std::string_view text);
constexpr std::size_t max_modes = 1'024;

} // namespace longcord
