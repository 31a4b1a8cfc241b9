// SPDX-License-Identifier: MIT
// A VM that has a living QEMU on this node.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace longcord {

struct RunningVm {
    unsigned vmid = 0;
    int pid = 0; ///< another one after a restart, however fast it was
    std::filesystem::path qmp_socket;
    // Of a machine that is no Proxmox VM:
    std::string name = {};
    std::vector<std::string> buses = {}; ///< QEMU's USB buses to use, in order; empty: any

    bool operator==(const RunningVm&) const = default;
};

} // namespace longcord
