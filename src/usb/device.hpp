// SPDX-License-Identifier: MIT
// What is plugged at a place: plain values, read from sysfs on this machine or announced by a Pi.
#pragma once

#include "usb/place.hpp"

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace longcord {

/// idVendor:idProduct.
struct UsbId {
    std::uint16_t vendor = 0;
    std::uint16_t product = 0;

    /// "1a86:55d4", four hex digits each, any case.
    static Result<UsbId> parse(std::string_view text);
    std::string to_string() const;
    auto operator<=>(const UsbId&) const = default;
};

/// Numbered as on the USB/IP wire and in vhci's attach (enum usb_device_speed, linux/usb/ch9.h).
enum class Speed : std::uint8_t {
    unknown = 0,
    low = 1,
    full = 2,
    high = 3,
    wireless = 4,
    super = 5,
    super_plus = 6,
};

/// From sysfs' `speed` attribute, in Mbit/s: "1.5", "12", "480", "5000", "10000", "20000".
Speed speed_from_sysfs(std::string_view megabits) noexcept;
/// "12 Mbit/s".
std::string_view to_string(Speed speed) noexcept;
/// SuperSpeed devices live on the other half of a hub: theirs are the `ss` ports of vhci.
constexpr bool is_super(Speed speed) noexcept {
    return speed >= Speed::super;
}

/// bInterfaceClass, bInterfaceSubClass, bInterfaceProtocol (USB-IF class codes).
struct InterfaceClass {
    std::uint8_t code = 0;
    std::uint8_t subclass = 0;
    std::uint8_t protocol = 0;
    auto operator<=>(const InterfaceClass&) const = default;
};

// USB-IF class codes.
constexpr std::uint8_t class_communications = 0x02;
constexpr std::uint8_t class_mass_storage = 0x08;
constexpr std::uint8_t class_hub = 0x09;
constexpr std::uint8_t class_wireless = 0xe0;
constexpr std::uint8_t class_miscellaneous = 0xef;
constexpr std::uint8_t class_vendor = 0xff;

struct Device {
    Place place;
    /// ID_PATH of the host controller: "pci-0000:00:14.0", "platform-fe9c0000.xhci"; empty:
    /// unknown.
    std::string controller;
    UsbId id;
    std::uint16_t bcd_device = 0;
    InterfaceClass device_class;
    /// Of the active configuration (the first one while none is active), by interface number.
    std::vector<InterfaceClass> interfaces;
    unsigned configurations = 1; ///< bNumConfigurations
    Speed speed = Speed::unknown;
    std::string manufacturer; ///< strings are printable UTF-8, at most max_device_string bytes
    std::string product;
    std::string serial;
    /// The kernel's number on its bus: a device that was replugged or reset anew has another one.
    unsigned devnum = 0;

    bool is_hub() const noexcept { return device_class.code == class_hub; }
    /// "1a86:55d4 USB Single Serial": for messages.
    std::string label() const;

    bool operator==(const Device&) const = default;
};

/// A device of this machine's own kernel, with what only this machine knows of it.
struct LocalDevice {
    Device device;
    std::string sysfs_path;     ///< below /sys/bus/usb/devices, e.g. "3-4.1"
    std::string devpath;        ///< udev DEVPATH: "/devices/pci0000:00/.../3-4.1"
    bool authorized = false;    ///< sysfs `authorized`
    unsigned configuration = 0; ///< bConfigurationValue, 0: not configured
    /// Whether each of its interfaces is. Read on vhci only; none: it has none (yet).
    std::optional<bool> interfaces_authorized;
    /// Of the device as a whole: "usb" (it may have interfaces), "usbip-host" (exported), or none.
    std::string device_driver;
    std::vector<std::string> drivers;  ///< of its interfaces, e.g. "cdc_acm"; sorted, unique
    unsigned driverless = 0;           ///< interfaces that no driver has (yet)
    std::vector<std::string> networks; ///< what its interfaces are here: "eth1", "phy0"; sorted
    std::vector<std::string> disks;    ///< the same: "sda"; sorted
    bool on_vhci = false;              ///< imported over USB/IP: below a root hub of vhci_hcd
    std::optional<Place> peer; ///< the other half (USB 2 or USB 3) of the port it is plugged into
    std::string peer_devpath;  ///< of a device there, whether or not there is one

    bool operator==(const LocalDevice&) const = default;
};

} // namespace longcord
