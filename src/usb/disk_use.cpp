// SPDX-License-Identifier: MIT
#include "usb/disk_use.hpp"

#include "base/unique_fd.hpp"

#include <cerrno>

#include <fcntl.h>

namespace longcord {

std::optional<std::string> disk_in_use(const Roots& roots, const LocalDevice& device) {
    for (const auto& disk : device.disks) {
        const auto path = roots.dev() / disk;
        const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_EXCL | O_NONBLOCK | O_CLOEXEC));
        if (!fd && errno == EBUSY)
            return disk;
    }
    return std::nullopt;
}

} // namespace longcord
