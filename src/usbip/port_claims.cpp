// SPDX-License-Identifier: MIT
#include "usbip/port_claims.hpp"

#include "base/files.hpp"
#include "base/text.hpp"
#include "usb/place.hpp"

#include <cerrno>
#include <cstdlib>

#include <systemd/sd-daemon.h>

#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <sys/ioctl.h>

namespace longcord {

/// What systemd calls a kept descriptor: "vhci-hub-5".
static constexpr std::string_view kept_name = "vhci-hub-";

PortClaims::PortClaims(Roots roots) : roots_(std::move(roots)) {
    char** names = nullptr;
    const int count = ::sd_listen_fds_with_names(1, &names);
    for (int i = 0; i < count; ++i) {
        const std::string_view name(names[i]);
        UniqueFd fd(SD_LISTEN_FDS_START + i);
        const auto bus = name.starts_with(kept_name) ? parse_decimal(name.substr(kept_name.size()))
                                                     : std::nullopt;
        if (bus)
            hubs_.insert_or_assign(*bus, std::move(fd));
        std::free(names[i]); // NOLINT(*-no-malloc): as sd_listen_fds_with_names(3) says
    }
    std::free(names); // NOLINT(*-no-malloc)
}

Result<PortClaims::Port> PortClaims::port_of(std::string_view sysname) {
    const auto place = Place::parse(sysname);
    if (!place || !place->is_local() || place->path.ports.size() != 1)
        return fail(
            ErrorKind::invalid, "\"{}\" is no device on a root hub's port", printable(sysname));
    return Port{place->bus, place->path.ports.front()};
}

Result<int> PortClaims::hub(unsigned bus) {
    if (const auto open = hubs_.find(bus); open != hubs_.end())
        return open->second.get();
    const auto number =
        read_attribute(roots_.sys() / fmt::format("bus/usb/devices/usb{}/devnum", bus));
    if (!number)
        return number.error();
    const auto node =
        roots_.dev() / fmt::format("bus/usb/{:03}/{:03}", bus, parse_decimal(*number).value_or(0));
    UniqueFd fd(::open(node.c_str(), O_RDWR | O_CLOEXEC));
    if (!fd)
        return fail_errno(errno, "open " + node.string());
    int kept = fd.get();
    const auto message = fmt::format("FDSTORE=1\nFDNAME={}{}", kept_name, bus);
    ::sd_pid_notify_with_fds(0, 0, message.c_str(), &kept, 1); // without systemd: nothing happens
    return hubs_.emplace(bus, std::move(fd)).first->second.get();
}

Result<> PortClaims::claim(std::string_view sysname) {
    const auto port = port_of(sysname);
    if (!port)
        return port.error();
    const std::lock_guard lock(mutex_);
    for (const bool again : {false, true}) {
        const auto hub_fd = hub(port->bus);
        if (!hub_fd)
            return hub_fd.error();
        unsigned number = port->number;
        if (::ioctl(*hub_fd, USBDEVFS_CLAIM_PORT, &number) == 0)
            return {};
        const int error = errno;
        // A kept descriptor, or this one before: the same claim again (usb_hub_claim_port, hub.c).
        if (error == EBUSY && ::ioctl(*hub_fd, USBDEVFS_RELEASE_PORT, &number) == 0)
            return ::ioctl(*hub_fd, USBDEVFS_CLAIM_PORT, &number) == 0
                       ? Result<>()
                       : fail_errno(errno, fmt::format("claim the port of {}", sysname));
        if (error != ENODEV || again) // ENODEV: the hub is another one since vhci_hcd was reloaded
            return fail_errno(error, fmt::format("claim the port of {}", sysname));
        hubs_.erase(port->bus);
    }
    return {};
}

void PortClaims::release(std::string_view sysname) {
    const auto port = port_of(sysname);
    const std::lock_guard lock(mutex_);
    if (!port || !hubs_.contains(port->bus))
        return;
    unsigned number = port->number;
    ::ioctl(hubs_[port->bus].get(), USBDEVFS_RELEASE_PORT, &number);
}

unsigned PortClaims::ports_of(unsigned bus) const {
    const auto count =
        read_attribute(roots_.sys() / fmt::format("bus/usb/devices/usb{}/maxchild", bus));
    return count ? parse_decimal(*count, 255).value_or(0) : 0;
}

void PortClaims::release_all_but(const std::set<std::string>& sysnames) {
    const std::lock_guard lock(mutex_);
    for (const auto& [bus, fd] : hubs_)
        for (unsigned port = 1; port <= ports_of(bus); ++port)
            if (unsigned number = port; !sysnames.contains(fmt::format("{}-{}", bus, port)))
                ::ioctl(fd.get(), USBDEVFS_RELEASE_PORT, &number);
}

} // namespace longcord
