// SPDX-License-Identifier: MIT
// What the guards of local devices judge by (guards.hpp), as it stands in the World.
#pragma once

#include "base/clock.hpp"
#include "plan/backoff.hpp"
#include "usb/host_use.hpp"

#include <optional>
#include <string>

namespace longcord {

/// A `usbN:` line of a VM of this node, a mapping in it resolved to what it means on this node. One
/// of place and id is set.
struct NativeUse {
    unsigned vmid = 0;
    std::string text; ///< "usb0: host=3-4"
    std::optional<Place> place;
    std::optional<UsbId> id;

    bool operator==(const NativeUse&) const = default;
};

/// What this host does with a device, as it was last read.
struct SeenUse {
    HostUse use;
    TimePoint read;
    bool stale = false; ///< something happened since that may have changed it
    Backoff patience;   ///< until it is looked at again without any event
};

} // namespace longcord
