// SPDX-License-Identifier: MIT
// Where a VM's configuration says that RAM of the guest lies on disk: in a snapshot's section, or
// in the VM's own part while it hibernates. QEMU loads it only into the hardware it was saved from,
// so a device that was plugged by us meanwhile makes it unloadable (docs/snapshots.md).
// The keys are PVE's AbstractConfig.pm, snapshot_create, and QemuServer.pm, vm_suspend.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace longcord {

struct SavedRam {
    static constexpr std::size_t most = 64; ///< a VM; more are not looked at

    std::string snapshot;  ///< empty: hibernation
    std::string stamp;     ///< tells it from an earlier one of that name
    bool complete = false; ///< false: Proxmox is saving it now

    bool operator==(const SavedRam&) const = default;
};

/// Of the text of <VMID>.conf. `suspending`: the configuration has that lock.
std::vector<SavedRam> parse_saved_ram(std::string_view text, bool suspending);

} // namespace longcord
