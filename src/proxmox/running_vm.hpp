// SPDX-License-Identifier: MIT
// A VM that has a living QEMU on this node.
#pragma once

#include <filesystem>

namespace longcord {

struct RunningVm {
    unsigned vmid = 0;
    int pid = 0; ///< another one after a restart, however fast it was
    std::filesystem::path qmp_socket;

    bool operator==(const RunningVm&) const = default;
};

} // namespace longcord
