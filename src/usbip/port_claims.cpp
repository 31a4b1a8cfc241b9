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

/// What systemd calls a kept descriptor: "hub-usb5", "hub-1-1.2".
static constexpr std::string_view kept_name = "hub-";

PortClaims::PortClaims(Roots roots, Hubs hubs) : roots_(std::move(roots)), power_(hubs) {
    char** names = nullptr;
    const int count = ::sd_listen_fds_with_names(1, &names);
    for (int i = 0; i < count; ++i) {
        const std::string_view name(names[i]);
        UniqueFd fd(SD_LISTEN_FDS_START + i);
        if (name.starts_with(kept_name)) {
            auto hub = std::make_shared<Hub>();
            hub->fd = std::move(fd);
            kept_.emplace(name.substr(kept_name.size()));
            hubs_.insert_or_assign(std::string(name.substr(kept_name.size())), std::move(hub));
        }
        std::free(names[i]); // NOLINT(*-no-malloc): as sd_listen_fds_with_names(3) says
    }
    std::free(names); // NOLINT(*-no-malloc)
}

Result<PortClaims::Port> PortClaims::port_of(std::string_view sysname) {
    auto place = Place::parse(sysname);
    if (!place || !place->is_local() || place->path.ports.empty())
        return fail(ErrorKind::invalid, "\"{}\" is no device on a hub's port", printable(sysname));
    const unsigned number = place->path.ports.back();
    place->path.ports.pop_back();
    const bool root = place->path.ports.empty();
    return Port{root ? fmt::format("usb{}", place->bus) : place->busid(), place->bus, number};
}

std::shared_ptr<PortClaims::Hub> PortClaims::find_hub(const Port& port) const {
    const std::lock_guard lock(mutex_);
    const auto hub = hubs_.find(port.hub);
    return hub == hubs_.end() ? nullptr : hub->second;
}

Result<std::shared_ptr<PortClaims::Hub>> PortClaims::open_hub(const Port& port) {
    if (auto hub = find_hub(port))
        return hub;
    const auto number = read_attribute(roots_.sys() / "bus/usb/devices" / port.hub / "devnum");
    if (!number)
        return number.error();
    const auto node =
        roots_.dev() /
        fmt::format("bus/usb/{:03}/{:03}", port.bus, parse_decimal(*number).value_or(0));
    auto hub = std::make_shared<Hub>();
    hub->fd.reset(::open(node.c_str(), O_RDWR | O_CLOEXEC));
    if (!hub->fd)
        return fail_errno(errno, "open " + node.string());
    if (power_ == Hubs::may_sleep)
        ::ioctl(hub->fd.get(), USBDEVFS_ALLOW_SUSPEND); // before Linux 5.3 it stays awake
    const std::lock_guard lock(mutex_);
    const auto [there, fresh] = hubs_.emplace(port.hub, hub);
    if (fresh) { // and not another thread's, which was quicker
        int kept = hub->fd.get();
        const auto message = fmt::format("FDSTORE=1\nFDNAME={}{}", kept_name, port.hub);
        ::sd_pid_notify_with_fds(0, 0, message.c_str(), &kept, 1); // without systemd: nothing
    }
    return there->second;
}

Result<> PortClaims::claim(std::string_view sysname) {
    const auto port = port_of(sysname);
    if (!port)
        return port.error();
    for (const bool again : {false, true}) {
        const auto hub = open_hub(*port);
        if (!hub)
            return hub.error();
        const std::lock_guard one_at_a_time((*hub)->mutex);
        const int fd = (*hub)->fd.get();
        unsigned number = port->number;
        {
            const std::lock_guard lock(mutex_);
            ++numbers_[std::string(sysname)];
            claimed_.emplace(sysname);
        }
        if (::ioctl(fd, USBDEVFS_CLAIM_PORT, &number) == 0)
            return {};
        const int error = errno;
        // A kept descriptor, or this one before: the same claim again (usb_hub_claim_port, hub.c).
        if (error == EBUSY && ::ioctl(fd, USBDEVFS_RELEASE_PORT, &number) == 0)
            return ::ioctl(fd, USBDEVFS_CLAIM_PORT, &number) == 0
                       ? Result<>()
                       : fail_errno(errno, fmt::format("claim the port of {}", sysname));
        if (error != ENODEV || again) // ENODEV: another hub is there since, or vhci_hcd is reloaded
            return fail_errno(error, fmt::format("claim the port of {}", sysname));
        const std::lock_guard lock(mutex_);
        if (const auto known = hubs_.find(port->hub); known != hubs_.end() && known->second == *hub)
            hubs_.erase(known);
    }
    return {};
}

unsigned PortClaims::claim_number(std::string_view sysname) const {
    const std::lock_guard lock(mutex_);
    const auto number = numbers_.find(sysname);
    return number == numbers_.end() ? 0 : number->second;
}

bool PortClaims::may_be_claimed(const Port& port, std::string_view sysname) const {
    const std::lock_guard lock(mutex_);
    return claimed_.contains(sysname) || kept_.contains(port.hub);
}

void PortClaims::remember_kept(const std::string& hub, const std::string& sysname) {
    const std::lock_guard lock(mutex_);
    if (kept_.contains(hub))
        claimed_.insert(sysname);
}

void PortClaims::forget(std::string_view sysname) {
    const std::lock_guard lock(mutex_);
    if (const auto claimed = claimed_.find(sysname); claimed != claimed_.end())
        claimed_.erase(claimed);
}

bool PortClaims::release(std::string_view sysname, std::optional<unsigned> this_one) {
    const auto port = port_of(sysname);
    const auto hub = port ? find_hub(*port) : nullptr;
    // The kernel would say the same, but only once the hub is at rest.
    if (!hub || !may_be_claimed(*port, sysname))
        return false;
    const std::lock_guard one_at_a_time(hub->mutex);
    if (this_one && claim_number(sysname) != *this_one)
        return false;
    unsigned number = port->number;
    const bool was_claimed = ::ioctl(hub->fd.get(), USBDEVFS_RELEASE_PORT, &number) == 0;
    forget(sysname);
    return was_claimed;
}

std::vector<std::pair<std::string, std::shared_ptr<PortClaims::Hub>>> PortClaims::all_hubs() const {
    const std::lock_guard lock(mutex_);
    return {hubs_.begin(), hubs_.end()};
}

unsigned PortClaims::ports_of(const std::string& hub) const {
    const auto count = read_attribute(roots_.sys() / "bus/usb/devices" / hub / "maxchild");
    return count ? parse_decimal(*count, 255).value_or(0) : 0;
}

std::filesystem::path PortClaims::interface_default(unsigned bus) const {
    return roots_.sys() / fmt::format("bus/usb/devices/usb{}/interface_authorized_default", bus);
}

Result<> PortClaims::withhold_interfaces(unsigned bus) {
    const std::lock_guard lock(mutex_);
    const auto file = interface_default(bus);
    const auto now = read_attribute(file);
    if (!now)
        return now.error();
    if (*now != "0" && !allowed_.contains(bus))
        return fail(ErrorKind::refused, "usb{} would let this host's drivers bind to it", bus);
    if (*now != "0")
        if (auto written = write_attribute(file, "0"); !written)
            return written;
    allowed_.erase(bus);
    ++withheld_[bus];
    return {};
}

void PortClaims::allow_interfaces(unsigned bus, bool claimed) {
    const std::lock_guard lock(mutex_);
    if (--withheld_[bus] > 0 || !claimed)
        return;
    if (write_attribute(interface_default(bus), "1"))
        allowed_.insert(bus);
}

void PortClaims::release_others(const std::set<std::string>& sysnames) {
    for (const auto& [name, hub] : all_hubs()) {
        const std::lock_guard one_at_a_time(hub->mutex);
        for (unsigned port = 1; port <= ports_of(name); ++port) {
            const auto place = name.starts_with("usb") ? fmt::format("{}-{}", name.substr(3), port)
                                                       : fmt::format("{}.{}", name, port);
            unsigned number = port;
            if (sysnames.contains(place))
                remember_kept(name, place);
            else if (may_be_claimed({name, 0, port}, place)) {
                ::ioctl(hub->fd.get(), USBDEVFS_RELEASE_PORT, &number);
                forget(place);
            }
        }
        const std::lock_guard lock(mutex_);
        kept_.erase(name);
    }
}

void PortClaims::release_all_but(const std::set<std::string>& sysnames) {
    std::set<std::string> kept;
    for (const auto& [name, hub] : all_hubs())
        kept.insert(name);
    release_others(sysnames);
    for (const auto& sysname : sysnames) {
        const auto port = port_of(sysname);
        if (!port || !withhold_interfaces(port->bus))
            continue;
        const bool claimed = kept.contains(port->hub) || claim(sysname);
        allow_interfaces(port->bus, claimed);
    }
}

PortClaims::~PortClaims() {
    for (const unsigned bus : allowed_)
        (void)write_attribute(interface_default(bus), "0");
}

} // namespace longcord
