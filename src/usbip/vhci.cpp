// SPDX-License-Identifier: MIT
#include "usbip/vhci.hpp"

#include "base/files.hpp"

namespace longcord {

/// CONFIG_USBIP_VHCI_NR_HCS goes to 128 (drivers/usb/usbip/Kconfig).
constexpr unsigned max_controllers = 128;

std::filesystem::path Vhci::file(const std::string& name) const {
    // Status, attach and detach of all controllers live on the first one.
    return roots_.sys() / "devices/platform/vhci_hcd.0" / name;
}

bool Vhci::present() const {
    std::error_code ignored;
    return std::filesystem::exists(file("attach"), ignored);
}

Result<std::vector<VhciPort>> Vhci::ports() const {
    std::vector<VhciPort> all;
    for (unsigned controller = 0; controller < max_controllers; ++controller) {
        const auto name = controller == 0 ? "status" : fmt::format("status.{}", controller);
        const auto text = read_attribute(file(name));
        if (!text && text.error().kind == ErrorKind::not_found && controller > 0)
            break;
        if (!text && text.error().kind == ErrorKind::not_found)
            return fail(
                ErrorKind::not_found,
                "the kernel module vhci_hcd is not loaded: modprobe vhci-hcd");
        if (!text)
            return text.error();
        if (text->empty()) // a controller without its platform device: no ports to speak of
            continue;
        auto some = parse_vhci_status(*text);
        if (!some)
            return some.error();
        all.insert(all.end(), some->begin(), some->end());
    }
    return all;
}

Result<> Vhci::attach(unsigned port, int socket, std::uint32_t devid, Speed speed) const {
    if (speed == Speed::unknown)
        return fail(ErrorKind::invalid, "vhci port {}: a device of unknown speed has no hub", port);
    // vhci 6.1 refuses USB_SPEED_SUPER_PLUS (valid_args() in vhci_sysfs.c); nothing on the wire
    // depends on the difference.
    const Speed asked = is_super(speed) ? Speed::super : speed;
    const auto command =
        fmt::format("{} {} {} {}", port, socket, devid, static_cast<unsigned>(asked));
    auto written = write_attribute(file("attach"), command);
    if (!written)
        return fail(written.error().kind, "vhci port {}: {}", port, written.error().message);
    return {};
}

Result<> Vhci::detach(unsigned port) const {
    auto written = write_attribute(file("detach"), std::to_string(port));
    if (written)
        return {};
    if (written.error().kind == ErrorKind::invalid) // EINVAL, also for a port that is free
        if (const auto now = ports(); now && is_free(*now, port))
            return fail(ErrorKind::not_found, "vhci port {} is free already", port);
    return fail(written.error().kind, "vhci port {}: {}", port, written.error().message);
}

} // namespace longcord
