// SPDX-License-Identifier: MIT
// Which terminals belong to a USB device, by sysfs: most have one, a bridge with four channels has
// four, and each channel is a port of its own.
#pragma once

#include "base/roots.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace longcord {

struct TtyNode {
    std::string interface;        ///< "1.0": configuration and interface
    std::filesystem::path device; ///< "/dev/ttyUSB0"
    bool operator==(const TtyNode&) const = default;
};

/// Of the device with this busid ("1-1.2"), by interface; empty where no driver made one (yet).
std::vector<TtyNode> tty_nodes(const Roots& roots, const std::string& busid);

} // namespace longcord
