// SPDX-License-Identifier: MIT
// A disk that this machine has in use must not be taken from under it: mounted, or held by LVM,
// ZFS, md or swap.
#pragma once

#include "base/roots.hpp"
#include "usb/device.hpp"

#include <optional>
#include <string>

namespace longcord {

/// The name of the first disk of this device that is in use ("sda"). Asks by open(2) with O_EXCL,
/// which is busy for the whole disk while one partition of it is (block/bdev.c). A disk that cannot
/// be asked counts as in use. May read the medium: call it on the WorkerPool.
std::optional<std::string> disk_in_use(const Roots& roots, const LocalDevice& device);

} // namespace longcord
