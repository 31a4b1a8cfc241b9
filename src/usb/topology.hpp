// SPDX-License-Identifier: MIT
// Bus numbers move at reboot, controllers do not: what is persisted is keyed by the controller.
// These functions read the names the kernel gives to controllers and ports; they touch no file.
#pragma once

#include "usb/place.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace longcord {

/// The controller above a device, as udev's ID_PATH begins:
/// "/devices/pci0000:00/0000:00:14.0/usb3/3-1" -> "pci-0000:00:14.0", behind bridges the last PCI
/// address; "/devices/platform/vhci_hcd.0/usb5/5-1" -> "platform-vhci_hcd.0". Empty: no USB device.
std::string controller_of(std::string_view devpath);

/// Imported over USB/IP: a port of vhci_hcd (drivers/usb/usbip/vhci_hcd.c names the controller).
bool is_vhci(std::string_view devpath);

/// The place that a hub port leads to (drivers/usb/core/port.c): "usb3-port4" -> 3-4,
/// "3-4-port1" -> 3-4.1.
std::optional<Place> place_of_port(std::string_view port);

} // namespace longcord
