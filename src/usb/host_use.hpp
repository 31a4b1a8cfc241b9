// SPDX-License-Identifier: MIT
// What this machine itself does with a device that is plugged into it. A disk that is mounted, a
// network interface that is up and a device that another process drives must not be taken from
// under whoever has it.
#pragma once

#include "base/roots.hpp"
#include "usb/device.hpp"

#include <string>
#include <vector>

namespace longcord {

struct HostUse {
    struct Opener {
        int pid = 0;
        std::string name; ///< /proc/<pid>/comm
        auto operator<=>(const Opener&) const = default;
    };

    unsigned devnum = 0;         ///< of which plugging-in this was read
    std::string disk;            ///< "sda": the host has it in use; empty: none
    std::string network;         ///< "the network interface eth1 is up"; empty: none
    bool exported = false;       ///< usbip-host has it: this machine offers it to others
    std::vector<Opener> openers; ///< processes that have its usbfs node open

    bool operator==(const HostUse&) const = default;
};

/// All but the openers. May read the medium of a disk: call it on the WorkerPool.
HostUse read_host_use(const Roots& roots, const LocalDevice& device);

/// Why its network interfaces are in use, as HostUse::network.
std::string network_in_use(const Roots& roots, const LocalDevice& device);

} // namespace longcord
