// SPDX-License-Identifier: MIT
#include "usbip/port_speed.hpp"

#include "base/files.hpp"
#include "base/text.hpp"
#include "base/unique_fd.hpp"

#include <cerrno>
#include <optional>
#include <vector>

#include <fcntl.h>
#include <linux/usb/ch9.h>
#include <linux/usbdevice_fs.h>
#include <sys/ioctl.h>

namespace longcord {

namespace fs = std::filesystem;

namespace {

// USB 2.0, table 11-17 and linux/usb/ch11.h: the numbers of the bits of wPortStatus.
constexpr unsigned feature_low_speed = 9;
constexpr unsigned feature_high_speed = 10;
constexpr unsigned control_limit_ms = 1'000;

unsigned number(const fs::path& file, unsigned most) {
    const auto text = read_attribute(file);
    return text ? parse_decimal(*text, most).value_or(0) : 0;
}

/// The controller's root hub for high speed and below; the other one says 5000 or more.
std::optional<fs::path> hs_hub(const fs::path& controller) {
    std::error_code error;
    for (fs::directory_iterator it(controller, error), end; !error && it != end;
         it.increment(error))
        if (it->path().filename().string().starts_with("usb") &&
            number(it->path() / "speed", 100'000) == 480)
            return it->path();
    return std::nullopt;
}

Result<> clear_feature(int hub, unsigned port, unsigned feature) {
    usbdevfs_ctrltransfer request{};
    request.bRequestType = USB_DIR_OUT | USB_TYPE_CLASS | USB_RECIP_OTHER;
    request.bRequest = USB_REQ_CLEAR_FEATURE;
    request.wValue = static_cast<std::uint16_t>(feature);
    request.wIndex = static_cast<std::uint16_t>(port);
    request.timeout = control_limit_ms;
    if (::ioctl(hub, USBDEVFS_CONTROL, &request) < 0)
        return fail_errno(errno, fmt::format("clear feature {} of port {}", feature, port));
    return {};
}

} // namespace

Result<HubPort> hs_hub_port(const Roots& roots, unsigned vhci_port) {
    const auto none = [&] {
        return fail(ErrorKind::not_found, "vhci port {} is no hs port of this host", vhci_port);
    };
    // Controller 0 has ports 0 to n-1 (hs) and n to 2n-1 (ss), controller 1 those after them.
    const auto controller = [&](unsigned index) {
        return roots.sys() / fmt::format("devices/platform/vhci_hcd.{}", index);
    };
    const auto first = hs_hub(controller(0));
    const unsigned ports = first ? number(*first / "maxchild", 255) : 0;
    if (ports == 0 || vhci_port % (2 * ports) >= ports)
        return none();
    const auto hub = hs_hub(controller(vhci_port / (2 * ports)));
    if (!hub)
        return none();
    return HubPort{
        number(*hub / "busnum", 65'535), number(*hub / "devnum", 127), vhci_port % ports + 1};
}

Result<> forget_port_speed(const Roots& roots, unsigned vhci_port) {
    const auto place = hs_hub_port(roots, vhci_port);
    if (!place)
        return place.error();
    const auto node = roots.dev() / fmt::format("bus/usb/{:03}/{:03}", place->bus, place->devnum);
    const UniqueFd hub(::open(node.c_str(), O_RDWR | O_CLOEXEC));
    if (!hub)
        return fail_errno(errno, "open " + node.string());
    for (const unsigned feature : {feature_low_speed, feature_high_speed})
        if (auto cleared = clear_feature(hub.get(), place->port, feature); !cleared)
            return cleared;
    return {};
}

Result<> PortSpeeds::make_ready(const Roots& roots, unsigned vhci_port, Speed speed) {
    if (is_super(speed))
        return {}; // those ports have one speed
    {
        const std::lock_guard lock(mutex_);
        const bool clear = clear_.contains(vhci_port);
        if (speed != Speed::full)
            clear_.erase(vhci_port);
        if (clear || speed == Speed::high)
            return {};
    }
    auto forgotten = forget_(roots, vhci_port);
    if (forgotten && speed == Speed::full) {
        const std::lock_guard lock(mutex_);
        clear_.insert(vhci_port);
    }
    return forgotten;
}

void PortSpeeds::distrust(unsigned vhci_port) {
    const std::lock_guard lock(mutex_);
    clear_.erase(vhci_port);
}

} // namespace longcord
