// SPDX-License-Identifier: MIT
// The only file that reads /sys/bus/usb/devices. Several attributes wait for the device's lock,
// which the kernel holds while it enumerates or configures the device: call these on the
// WorkerPool.
#pragma once

#include "base/error.hpp"
#include "base/roots.hpp"
#include "usb/device.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace longcord {

/// The device at "3-4.1". ErrorKind::not_found is normal: it left, or was replaced while it was
/// read. Interfaces ("3-4.1:1.0") and root hubs ("usb3") are ErrorKind::invalid.
Result<LocalDevice> read_local_device(const Roots& roots, std::string_view sysname);

/// The same, with a quarter of the files where it is still the device that was `seen` and still not
/// configured: then nothing but its driver can have changed.
Result<LocalDevice> read_again(const Roots& roots, const LocalDevice& seen);

/// Names of all devices, hubs included, ordered by place. Waits for no lock.
std::vector<std::string> list_local_devices(const Roots& roots);

/// A bus, or a hub that is plugged into one: "usb1" or "1-1.2".
struct HubPorts {
    std::string name;
    std::string controller; ///< of a bus: its ID_PATH
    unsigned ports = 0;     ///< 0: not known
};
/// All buses and hubs, the tree that the machine's sockets make. Waits for no lock.
std::vector<HubPorts> list_hubs(const Roots& roots);

/// A hub's port, empty or not, by the place of what is plugged there.
struct UsbPort {
    Place place;
    std::string controller; ///< as Device::controller
    bool operator==(const UsbPort&) const = default;
};
/// Of this machine's own hubs, root hubs included; not those of vhci. Waits for no lock.
std::vector<UsbPort> list_usb_ports(const Roots& roots);

/// All devices, hubs included, ordered by place.
std::vector<LocalDevice> read_local_devices(const Roots& roots);

} // namespace longcord
