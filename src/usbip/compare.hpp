// SPDX-License-Identifier: MIT
// A device is authorised only after its descriptors equal what the Pi announced: a Pi's rules were
// written for the announced device, and a keyboard must not come in as a serial adapter. This is
// that comparison, once for the import's reply and once for what the kernel read through vhci.
#pragma once

#include "usb/device.hpp"
#include "usbip/wire.hpp"

#include <optional>
#include <string>

namespace longcord {

/// What differs, in words: "bcdDevice is 0444, announced was 0443"; nullopt: nothing. Compared are
/// ids, bcdDevice where one was announced, class, speed, the number of configurations, and where
/// that is one and both are known, the interfaces. 5 and 10 Gbit/s count as equal: vhci shows both
/// as 5.
std::optional<std::string> differs(const WireDevice&, const Device& announced);
std::optional<std::string> differs(const Device& local, const Device& announced);

} // namespace longcord
