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

/// Names of all devices, hubs included, ordered by place. Waits for no lock.
std::vector<std::string> list_local_devices(const Roots& roots);

/// All devices, hubs included, ordered by place.
std::vector<LocalDevice> read_local_devices(const Roots& roots);

} // namespace longcord
