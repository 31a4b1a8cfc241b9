// SPDX-License-Identifier: MIT
#include "usbip/authorize.hpp"

#include "base/files.hpp"
#include "base/text.hpp"
#include "usb/place.hpp"

#include <algorithm>
#include <string>

namespace longcord {

namespace {

namespace fs = std::filesystem;

/// USB_PORT_QUIRK_OLD_SCHEME | USB_PORT_QUIRK_FAST_ENUM (linux/usb/quirks.h has BIT(0), BIT(1)):
/// the delays they skip are for cables. 0.18 s off every plug, measured.
constexpr std::string_view port_quirks = "3";

std::vector<fs::path> entries(const fs::path& folder) {
    std::vector<fs::path> found;
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
        found.push_back(it->path());
    std::sort(found.begin(), found.end());
    return found;
}

/// "usb5": a root hub's name. Its attributes and its interface "5-0:1.0" are below it.
bool is_root_hub(const std::string& name) {
    return name.starts_with("usb") && name.size() > 3 &&
           std::all_of(name.begin() + 3, name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

} // namespace

std::vector<fs::path> vhci_root_hubs(const Roots& roots) {
    std::vector<fs::path> hubs;
    for (const auto& controller : entries(roots.sys() / "devices/platform")) {
        if (!controller.filename().string().starts_with("vhci_hcd."))
            continue;
        for (const auto& entry : entries(controller))
            if (is_root_hub(entry.filename()))
                hubs.push_back(entry);
    }
    return hubs;
}

namespace {

/// "usb5" has "5-0:1.0", whose driver makes the ports.
fs::path hub_interface(const fs::path& hub) {
    return hub / (hub.filename().string().substr(3) + "-0:1.0");
}

/// A hub that was closed before the kernel had made its own interface is a hub without ports.
Result<> give_hub_its_ports(const Roots& roots, const fs::path& hub) {
    const auto interface = hub_interface(hub);
    const auto authorized = read_attribute(interface / "authorized");
    if (!authorized || *authorized != "0")
        return {};
    if (auto written = write_attribute(interface / "authorized", "1"); !written)
        return written;
    return write_attribute(roots.sys() / "bus/usb/drivers_probe", interface.filename().string());
}

Result<> set_port_quirks(const fs::path& hub, std::string_view quirks) {
    const std::string name = hub.filename();
    for (const auto& entry : entries(hub_interface(hub))) {
        if (!entry.filename().string().starts_with(name + "-port"))
            continue;
        auto written = write_attribute(entry / "quirks", quirks);
        // Kernels before 4.19 have no such file: slower, not wrong.
        if (!written && written.error().kind != ErrorKind::not_found)
            return written;
    }
    return {};
}

Result<> set_root_hubs(
    const Roots& roots, std::string_view devices, std::string_view interfaces,
    std::string_view quirks) {
    const auto hubs = vhci_root_hubs(roots);
    if (hubs.empty())
        return fail(
            ErrorKind::not_found, "the kernel module vhci_hcd is not loaded: modprobe vhci-hcd");
    for (const auto& hub : hubs) {
        if (auto written = write_attribute(hub / "authorized_default", devices); !written)
            return written;
        if (auto written = write_attribute(hub / "interface_authorized_default", interfaces);
            !written)
            return written;
        if (auto there = give_hub_its_ports(roots, hub); !there)
            return there;
        if (auto set = set_port_quirks(hub, quirks); !set)
            return set;
    }
    return {};
}

/// A device of this host, by its folder in /sys.
struct Folder {
    std::string name;
    fs::path folder;
    unsigned bus = 0;
};

Result<Folder> find_device(const Roots& roots, std::string_view sysname) {
    const auto place = Place::parse(sysname);
    if (!place || !place->is_local() || place->busid() != sysname)
        return fail(
            ErrorKind::invalid, "\"{}\" is no device of this host such as 5-1", printable(sysname));
    const auto devices = roots.sys() / "bus/usb/devices";
    Folder device{place->busid(), devices / place->busid(), place->bus};
    std::error_code ignored;
    if (!fs::exists(device.folder, ignored))
        return fail(ErrorKind::not_found, "{} is not there any more", device.name);
    return device;
}

/// Of the active configuration: "5-1:1.0", "5-1:1.1".
std::vector<fs::path> interfaces_of(const Folder& device) {
    std::vector<fs::path> interfaces;
    for (const auto& entry : entries(device.folder))
        if (entry.filename().string().starts_with(device.name + ":"))
            interfaces.push_back(entry);
    return interfaces;
}

Result<> authorize_interfaces(const Folder& device) {
    for (const auto& interface : interfaces_of(device))
        if (auto written = write_attribute(interface / "authorized", "1"); !written)
            return written;
    return {};
}

/// While it lives, no interface of that bus is authorised by being made.
struct Withheld {
    Withheld(PortClaims& port_claims, unsigned of)
        : claims(port_claims), bus(of), result(claims.withhold_interfaces(bus)) {}
    ~Withheld() {
        if (result)
            claims.allow_interfaces(bus, claimed);
    }
    Withheld(const Withheld&) = delete;
    Withheld& operator=(const Withheld&) = delete;

    PortClaims& claims;
    unsigned bus;
    Result<> result;
    bool claimed = false;
};

Result<> select_configuration(const Folder& device, unsigned configuration) {
    const auto file = device.folder / "bConfigurationValue";
    const auto value = std::to_string(configuration);
    const auto active = read_attribute(file);
    if (!active)
        return active.error();
    if (*active == value) // writing it again would reset the interfaces' state for nothing
        return {};
    return write_attribute(file, value);
}

} // namespace

Result<> prepare_vhci_root_hubs(const Roots& roots) {
    return set_root_hubs(roots, "0", "0", port_quirks);
}

Result<> restore_vhci_root_hubs(const Roots& roots) {
    // -1 where nobody set it: wired controllers authorise (usb_create_hcd's authorized_default,
    // drivers/usb/core/hcd.c).
    const auto set = read_attribute(roots.sys() / "module/usbcore/parameters/authorized_default");
    const std::string devices = set && *set != "-1" ? *set : "1";
    return set_root_hubs(roots, devices, "1", "0");
}

Result<> authorize_device(
    const Roots& roots, PortClaims& claims, std::string_view sysname,
    std::optional<unsigned> configuration) {
    const auto device = find_device(roots, sysname);
    if (!device)
        return device.error();
    Withheld withheld(claims, device->bus);
    if (!withheld.result)
        return Error{
            withheld.result.error().kind,
            fmt::format("{} is not authorised: {}", device->name, withheld.result.error().message)};
    // On a claimed port the kernel chooses no configuration (usb_choose_configuration,
    // drivers/usb/core/generic.c). The claim of before goes, then, where the device has none: it
    // was deauthorised, by an unplug that another plug follows or by somebody else. No driver can
    // come in between: new interfaces are withheld.
    if (const auto before = read_attribute(device->folder / "authorized"); before && *before == "0")
        claims.release(sysname);
    if (auto written = write_attribute(device->folder / "authorized", "1"); !written)
        return written;
    if (configuration)
        if (auto selected = select_configuration(*device, *configuration); !selected)
            return selected;
    if (interfaces_of(*device).empty())
        return fail(ErrorKind::unavailable, "{} has no active configuration", device->name);
    // Where the hub has no node QEMU could open no device of it either.
    auto claimed = claims.claim(sysname);
    if (!claimed && claimed.error().kind != ErrorKind::not_found)
        return claimed;
    withheld.claimed = claimed.has_value();
    return authorize_interfaces(*device);
}

bool is_authorized(const Roots& roots, std::string_view sysname) {
    const auto device = find_device(roots, sysname);
    if (!device)
        return false;
    const auto interfaces = interfaces_of(*device);
    return !interfaces.empty() &&
           std::all_of(interfaces.begin(), interfaces.end(), [](const fs::path& interface) {
               const auto value = read_attribute(interface / "authorized");
               return value && *value == "1";
           });
}

Result<> authorize_foreign_device(const Roots& roots, std::string_view sysname) {
    const auto device = find_device(roots, sysname);
    if (!device)
        return device.error();
    if (auto written = write_attribute(device->folder / "authorized", "1"); !written)
        return written;
    if (auto written = authorize_interfaces(*device); !written)
        return written;
    // Authorising an interface does not look for its driver (usb_authorize_interface, message.c).
    for (const auto& interface : interfaces_of(*device)) {
        const auto name = interface.filename().string();
        auto probed = write_attribute(roots.sys() / "bus/usb/drivers_probe", name);
        // EINVAL: no driver wants it, which is nobody's fault.
        if (!probed && probed.error().kind != ErrorKind::invalid)
            return probed;
    }
    return {};
}

Result<> deauthorize_device(const Roots& roots, std::string_view sysname) {
    const auto device = find_device(roots, sysname);
    if (!device && device.error().kind == ErrorKind::not_found)
        return {};
    if (!device)
        return device.error();
    auto written = write_attribute(device->folder / "authorized", "0");
    if (!written && written.error().kind == ErrorKind::not_found)
        return {};
    return written;
}

} // namespace longcord
