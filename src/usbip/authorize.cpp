// SPDX-License-Identifier: MIT
#include "usbip/authorize.hpp"

#include "base/files.hpp"
#include "base/text.hpp"
#include "usb/place.hpp"

#include <algorithm>
#include <string>
#include <vector>

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

Result<> prepare_ports(const fs::path& hub) {
    const std::string name = hub.filename();
    const auto interface = hub / (name.substr(3) + "-0:1.0");
    for (const auto& entry : entries(interface)) {
        if (!entry.filename().string().starts_with(name + "-port"))
            continue;
        auto written = write_attribute(entry / "quirks", port_quirks);
        // Kernels before 4.19 have no such file: slower, not wrong.
        if (!written && written.error().kind != ErrorKind::not_found)
            return written;
    }
    return {};
}

struct Device {
    std::string name;
    fs::path folder;
    fs::path root_hub;
};

Result<Device> find_device(const Roots& roots, std::string_view sysname) {
    const auto place = Place::parse(sysname);
    if (!place || !place->is_local() || place->busid() != sysname)
        return fail(
            ErrorKind::invalid, "\"{}\" is no device of this host such as 5-1", printable(sysname));
    const auto devices = roots.sys() / "bus/usb/devices";
    Device device{
        place->busid(), devices / place->busid(), devices / fmt::format("usb{}", place->bus)};
    std::error_code ignored;
    if (!fs::exists(device.folder, ignored))
        return fail(ErrorKind::not_found, "{} is not there any more", device.name);
    return device;
}

/// Of the active configuration: "5-1:1.0", "5-1:1.1".
std::vector<fs::path> interfaces_of(const Device& device) {
    std::vector<fs::path> interfaces;
    for (const auto& entry : entries(device.folder))
        if (entry.filename().string().starts_with(device.name + ":"))
            interfaces.push_back(entry);
    return interfaces;
}

Result<> authorize_interfaces(const Device& device) {
    for (const auto& interface : interfaces_of(device))
        if (auto written = write_attribute(interface / "authorized", "1"); !written)
            return written;
    return {};
}

Result<> select_configuration(const Device& device, unsigned configuration) {
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
    const auto hubs = vhci_root_hubs(roots);
    if (hubs.empty())
        return fail(
            ErrorKind::not_found, "the kernel module vhci_hcd is not loaded: modprobe vhci-hcd");
    for (const auto& hub : hubs) {
        for (const char* name : {"authorized_default", "interface_authorized_default"})
            if (auto written = write_attribute(hub / name, "0"); !written)
                return written;
        if (auto prepared = prepare_ports(hub); !prepared)
            return prepared;
    }
    return {};
}

Result<> authorize_device(
    const Roots& roots, PortClaims& claims, std::string_view sysname,
    std::optional<unsigned> configuration) {
    const auto device = find_device(roots, sysname);
    if (!device)
        return device.error();
    const auto probing = read_attribute(device->root_hub / "interface_authorized_default");
    if (!probing)
        return probing.error();
    if (*probing != "0")
        return fail(
            ErrorKind::refused, "{} is not authorised: {} would let this host's drivers bind to it",
            device->name, device->root_hub.filename().string());
    if (auto written = write_attribute(device->folder / "authorized", "1"); !written)
        return written;
    if (configuration)
        if (auto selected = select_configuration(*device, *configuration); !selected)
            return selected;
    if (interfaces_of(*device).empty())
        return fail(ErrorKind::unavailable, "{} has no active configuration", device->name);
    // Not before: on a claimed port the kernel chooses no configuration (usb_choose_configuration,
    // drivers/usb/core/generic.c). Where the hub has no node QEMU could open no device of it
    // either.
    if (auto claimed = claims.claim(sysname);
        !claimed && claimed.error().kind != ErrorKind::not_found)
        return claimed;
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
