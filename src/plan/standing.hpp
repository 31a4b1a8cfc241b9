// SPDX-License-Identifier: MIT
// What may be done to a VM now: by what QEMU says and by the lock in its config (design, section 6,
// "When to act").
#pragma once

#include "plan/world.hpp"

namespace longcord {

enum class Standing {
    absent,  ///< no QEMU process
    unknown, ///< QEMU has not been asked, or did not answer
    leaving, ///< being migrated away, or quiesced: everything must come out
    keeping, ///< not running, or locked: keeps what it has, gets nothing
    open,    ///< running: plug and unplug
};

inline Standing standing(const World& world, unsigned vmid) noexcept {
    const auto vm = world.vms.find(vmid);
    if (vm == world.vms.end())
        return Standing::absent;
    if (!vm->second.view)
        return Standing::unknown;
    const bool running = vm->second.view->state == RunState::running;
    if (world.quiesced.contains(vmid))
        return running ? Standing::leaving : Standing::keeping;
    switch (vm->second.lock) {
    case VmLock::migrate:
        return running ? Standing::leaving : Standing::keeping;
    case VmLock::none:
    case VmLock::backup:
    case VmLock::snapshot_delete:
        return running ? Standing::open : Standing::keeping;
    case VmLock::other:
        break;
    }
    return Standing::keeping;
}

} // namespace longcord
