// SPDX-License-Identifier: MIT
// Cluster-wide USB mappings, /etc/pve/mapping/usb.cfg: a name, and for each node the device that it
// stands for there. A `usbN: mapping=NAME` line means what the mapping says of the VM's node. The
// format is PVE::Mapping::USB's, a section config.
#pragma once

#include "usb/device.hpp"
#include "usb/place.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace longcord {

struct UsbMapping {
    std::string node;
    std::optional<Place> place; ///< `path=`: then the id only guards against a swapped device
    std::optional<UsbId> id;

    bool operator==(const UsbMapping&) const = default;
};

/// By the mapping's name.
using UsbMappings = std::map<std::string, std::vector<UsbMapping>>;

/// Total: lines that say nothing to us are skipped.
UsbMappings parse_usb_mappings(std::string_view text);

} // namespace longcord
