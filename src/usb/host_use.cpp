// SPDX-License-Identifier: MIT
#include "usb/host_use.hpp"

#include "base/files.hpp"
#include "base/text.hpp"
#include "usb/disk_use.hpp"

#include <fmt/core.h>

#include <net/if.h>

namespace longcord {

namespace fs = std::filesystem;

/// What stands on this interface: a bridge, a bond, a VLAN; empty: nothing.
static std::string upper_of(const fs::path& interface) {
    std::error_code error;
    const auto master = fs::read_symlink(interface / "master", error);
    if (!error)
        return master.filename().string();
    constexpr std::string_view prefix = "upper_"; // net/core/dev.c, netdev_adjacent_sysfs_add
    for (fs::directory_iterator entry(interface, error), end; !error && entry != end;
         entry.increment(error)) {
        const auto name = entry->path().filename().string();
        if (name.starts_with(prefix))
            return name.substr(prefix.size());
    }
    return {};
}

static bool is_up(const fs::path& interface) {
    const auto flags = read_attribute(interface / "flags");
    if (!flags || !flags->starts_with("0x"))
        return false;
    return (parse_hex(flags->substr(2)).value_or(0) & IFF_UP) != 0;
}

std::string network_in_use(const Roots& roots, const LocalDevice& device) {
    for (const auto& name : device.networks) {
        const auto interface = roots.sys() / "class/net" / name;
        if (const auto upper = upper_of(interface); !upper.empty())
            return fmt::format("its network interface {} is part of {}", name, printable(upper));
        if (is_up(interface))
            return fmt::format("its network interface {} is up", name);
    }
    return {};
}

HostUse read_host_use(const Roots& roots, const LocalDevice& device) {
    HostUse use;
    use.devnum = device.device.devnum;
    use.disk = disk_in_use(roots, device).value_or("");
    use.network = network_in_use(roots, device);
    use.exported = device.device_driver == "usbip-host";
    return use;
}

} // namespace longcord
