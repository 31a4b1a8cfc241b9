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
        // Gone, or a reader without a card. Any other refusal means that we cannot know.
        const bool nothing_there =
            errno == ENOENT || errno == ENXIO || errno == ENODEV || errno == ENOMEDIUM;
        if (!fd && !nothing_there)
            return disk;
    }
    return std::nullopt;
}

} // namespace longcord
