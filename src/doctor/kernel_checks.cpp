// SPDX-License-Identifier: MIT
#include "doctor/kernel_checks.hpp"

#include "base/files.hpp"
#include "base/text.hpp"
#include "usbip/authorize.hpp"
#include "usbip/export.hpp"
#include "usbip/vhci.hpp"

#include <vector>

#include <fmt/core.h>

namespace longcord {

namespace {

namespace fs = std::filesystem;

/// The kernel's own default is 16 MB for all of usbfs (drivers/usb/core/devio.c); a camera or a
/// fast disk in a VM can need more than that.
constexpr unsigned small_usbfs_memory = 64;

bool has_module(const Roots& roots, const char* name) {
    std::error_code ignored;
    return fs::exists(roots.sys() / "module" / name, ignored);
}

Finding check_tls(const Roots& roots) {
    if (has_module(roots, "tls"))
        return good("kernel module tls", "is there: the kernel seals streams");
    return warning(
        "kernel module tls",
        "is not loaded: longcord seals the streams itself, which costs more CPU",
        "modprobe tls; where the kernel has no such module, update it");
}

/// The service alone authorises devices of vhci, and their interfaces, unless it has claimed the
/// port: then it is its own doing that new interfaces are (usbip/port_claims.hpp).
Findings check_root_hubs(const Roots& roots, bool service_runs) {
    Findings findings;
    const auto open = [](const std::filesystem::path& attribute) {
        const auto value = read_attribute(attribute);
        return value && *value != "0";
    };
    for (const auto& hub : vhci_root_hubs(roots))
        if (open(hub / "authorized_default") ||
            (!service_runs && open(hub / "interface_authorized_default")))
            findings.push_back(
                bad("root hub " + hub.filename().string(),
                    "lets this host's drivers bind to imported devices",
                    "restart longcord-host; is udev/60-longcord-host.rules installed?"));
    return findings;
}

/// The ports of one range: a device has its hub by its speed, so a free one of the other is no
/// help.
struct Range {
    std::size_t taken = 0;
    std::size_t all = 0;
    bool full() const { return all > 0 && taken == all; }
};

Range range_of(const std::vector<VhciPort>& ports, bool super) {
    Range range;
    for (const auto& port : ports) {
        range.all += port.super == super ? 1 : 0;
        range.taken += port.super == super && port.state != VhciPort::State::free ? 1 : 0;
    }
    return range;
}

Finding check_vhci_ports(const Roots& roots) {
    const auto ports = Vhci(roots).ports();
    if (!ports)
        return bad("vhci ports", "cannot be read: " + ports.error().message, "modprobe vhci-hcd");
    const Range high = range_of(*ports, false);
    const Range super = range_of(*ports, true);
    const auto what = fmt::format("{} of {} are taken", high.taken + super.taken, ports->size());
    if (!high.full() && !super.full())
        return good("vhci ports", what);
    const auto which = high.full() && super.full() ? "further device"
                       : high.full()               ? "further device up to 480 Mbit/s"
                                                   : "further device above 480 Mbit/s";
    return bad(
        "vhci ports", fmt::format("{}: no {} can be imported", what, which),
        "take a device's rule away, or what was imported by hand (usbip port; usbip detach -p "
        "PORT); how many there are is fixed when the kernel is built");
}

Finding check_usbfs_memory(const Roots& roots) {
    const auto text = read_attribute(roots.sys() / "module/usbcore/parameters/usbfs_memory_mb");
    const auto megabytes = text ? parse_decimal(*text) : std::nullopt;
    if (!megabytes)
        return good("usbfs memory", "is not known: usbcore is not there");
    if (*megabytes == 0 || *megabytes >= small_usbfs_memory)
        return good("usbfs memory", *megabytes == 0 ? "is not limited" : "is enough");
    return warning(
        "usbfs memory",
        fmt::format("is limited to {} MB for all devices of all VMs together", *megabytes),
        "for cameras and fast disks: echo 256 >/sys/module/usbcore/parameters/usbfs_memory_mb, and "
        "usbcore.usbfs_memory_mb=256 on the kernel's command line");
}

} // namespace

Findings check_node_kernel(const Roots& roots, bool service_runs) {
    Findings findings;
    if (!Vhci(roots).present()) {
        findings.push_back(
            bad("kernel module vhci_hcd", "is not loaded: nothing can be imported from Pis",
                "modprobe vhci-hcd; modules-load.d/longcord-host.conf does it at boot"));
    } else {
        findings.push_back(check_vhci_ports(roots));
        for (auto& hub : check_root_hubs(roots, service_runs))
            findings.push_back(std::move(hub));
    }
    findings.push_back(check_tls(roots));
    findings.push_back(check_usbfs_memory(roots));
    return findings;
}

Findings check_pi_kernel(const Roots& roots) {
    Findings findings;
    if (!has_module(roots, "usbip_host")) {
        findings.push_back(
            bad("kernel module usbip-host", "is not loaded: no device can be exported",
                "modprobe usbip-host; modules-load.d/longcord-pi.conf does it at boot"));
    } else {
        const auto bound = UsbipHost(roots).bound().size();
        const auto what = fmt::format("{} of {} are bound", bound, max_exports);
        findings.push_back(
            bound < max_exports
                ? good("exports", what)
                : bad("exports", what + ": the kernel has room for no more",
                      "set a device that no VM needs to mode off: longcord mode PLACE off"));
    }
    findings.push_back(check_tls(roots));
    return findings;
}

} // namespace longcord
