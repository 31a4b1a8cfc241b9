// SPDX-License-Identifier: MIT
// A device that is not configured (bound to usbip-host, or not authorised yet) shows no interfaces
// in sysfs; its `descriptors` attribute still has them: the device descriptor and, after it, every
// configuration as the device sent it. Those bytes come from a device that may be hostile.
#pragma once

#include "usb/device.hpp"

#include <string_view>
#include <vector>

namespace longcord {

/// The interfaces (alternate setting 0, by interface number) of the configuration with this
/// bConfigurationValue, or of the first one for 0. Malformed or truncated bytes end the list.
/// USB 2.0, 9.5 (every descriptor begins with length and type), 9.6.3, 9.6.5.
std::vector<InterfaceClass> interfaces_in(std::string_view descriptors, unsigned configuration);

} // namespace longcord
