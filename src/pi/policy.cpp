// SPDX-License-Identifier: MIT
#include "pi/policy.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace longcord {

namespace {

// Subclasses of class_communications (USB CDC 1.2, table 4; the subclasses' own specifications).
constexpr std::uint8_t cdc_acm = 0x02;
constexpr std::uint8_t cdc_networks[] = {0x06, 0x0c, 0x0d, 0x0e}; // Ethernet, EEM, NCM, MBIM
// From here on only a driver knows (USB-IF: specific to an application, to a vendor).
constexpr std::uint8_t class_application = 0xfe;
constexpr std::uint8_t protocol_vendor = 0xff; // CDC ACM with it: RNDIS, as Linux gadgets are

bool is_network_class(const InterfaceClass& code) {
    if (code.code == class_communications)
        return std::ranges::count(cdc_networks, code.subclass) > 0 ||
               (code.subclass == cdc_acm && code.protocol == protocol_vendor);
    return code == InterfaceClass{class_wireless, 0x01, 0x03} ||    // RNDIS
           code == InterfaceClass{class_miscellaneous, 0x04, 0x01}; // RNDIS over Ethernet
}

bool is_acm(const InterfaceClass& code) {
    return code.code == class_communications && code.subclass == cdc_acm;
}

bool has_hub(const Device& device) {
    const auto hub = [](const InterfaceClass& code) { return code.code == class_hub; };
    return device.is_hub() || std::ranges::any_of(device.interfaces, hub);
}

bool stands_in(
    const Device& device, const std::vector<UsbId>& ids, const std::vector<Place>& places) {
    const auto covers = [&](const Place& place) { return place.covers(device.place); };
    return std::ranges::count(ids, device.id) > 0 || std::ranges::any_of(places, covers);
}

/// The exported driver that this device has, or will have as soon as it is loaded; empty: none.
/// Only cdc_acm can be foretold: it binds by class, the others by their own lists of ids.
std::string exported_driver(const LocalDevice& local, const std::vector<std::string>& drivers) {
    for (const auto& driver : drivers)
        if (std::ranges::count(local.drivers, driver) > 0 ||
            (driver == "cdc_acm" && std::ranges::any_of(local.device.interfaces, is_acm)))
            return driver;
    return {};
}

Judgement kept(std::string why, DeviceMode mode = DeviceMode::off) {
    return {Judgement::Kind::kept, std::move(why), mode};
}

Judgement not_selected(const LocalDevice& local) {
    if (local.drivers.empty())
        return kept("no driver of this machine has it, and pi.yaml does not export it");
    return kept(fmt::format("its driver {} is not exported", fmt::join(local.drivers, ", ")));
}

} // namespace

bool is_network(const LocalDevice& local) {
    return !local.networks.empty() ||
           std::ranges::any_of(local.device.interfaces, is_network_class);
}

bool classes_tell_all(const Device& device) {
    const auto tells_nothing = [](const InterfaceClass& code) {
        return code.code == 0 || code.code == class_wireless || code.code == class_miscellaneous ||
               code.code >= class_application;
    };
    return !device.interfaces.empty() && device.device_class.code != class_vendor &&
           std::ranges::none_of(device.interfaces, tells_nothing);
}

std::optional<std::string> never_leaves(const LocalDevice& local, const ExportConfig& config) {
    if (has_hub(local.device))
        return "it is a hub";
    if (local.on_vhci)
        return "it is imported from another machine";
    if (is_network(local))
        return "it is a network adapter";
    if (stands_in(local.device, config.never.ids, config.never.places))
        return "export.never in pi.yaml names it";
    return std::nullopt;
}

Judgement judge(
    const LocalDevice& local, const ExportConfig& config, const Modes& modes, bool settled) {
    if (auto why = never_leaves(local, config))
        return kept(std::move(*why));
    const auto mode = modes.of(local.device);
    if (mode == DeviceMode::off)
        return kept("its mode is off");
    if (mode == DeviceMode::serial)
        return kept("its mode is serial", DeviceMode::serial);
    if (!local.authorized)
        return kept("this machine has not authorised it");
    const auto driver = exported_driver(local, config.drivers);
    const bool named = mode || stands_in(local.device, config.ids, config.places);
    if (driver.empty() && !named)
        return not_selected(local);
    if (modes.is_paused(local.device))
        return kept(
            "it was disconnected by hand; `longcord resume` connects it again", DeviceMode::usbip);
    // A device that nothing drives yet may turn out to be a network adapter, and so may one that
    // waits for its firmware: Wi-Fi drivers have it loaded beside their probe. One without even the
    // generic driver is still being taken in by the kernel.
    const bool unknown =
        driver.empty() && (local.driverless > 0 || !classes_tell_all(local.device));
    if (!settled && (local.device_driver.empty() || unknown))
        return {Judgement::Kind::not_yet, "its drivers are not done with it", DeviceMode::usbip};
    return {
        Judgement::Kind::exported,
        mode              ? "its mode is usbip"
        : !driver.empty() ? fmt::format("its driver {} is exported", driver)
                          : "pi.yaml exports it",
        DeviceMode::usbip};
}

} // namespace longcord
