// SPDX-License-Identifier: MIT
// Devices as a Pi's kernel has them, for the pure parts.
#pragma once

#include "usb/device.hpp"

#include <string>

namespace longcord::testing {

/// A board with a CH343 (CDC ACM) at `place`, its driver bound.
inline LocalDevice acm_board(const std::string& place) {
    LocalDevice local;
    local.device.place = Place::parse(place).value();
    local.device.id = {0x1a86, 0x55d4};
    local.device.bcd_device = 0x0443;
    local.device.device_class = {2, 0, 0};
    local.device.interfaces = {{2, 2, 1}, {10, 0, 0}};
    local.device.devnum = 5;
    local.sysfs_path = place;
    local.authorized = true;
    local.configuration = 1;
    local.device_driver = "usb";
    local.drivers = {"cdc_acm"};
    return local;
}

/// The same on a controller that is known, as places by controller need it.
inline LocalDevice board_at(const std::string& place) {
    LocalDevice local = acm_board(place);
    local.device.controller = "platform-fe9c0000.xhci";
    return local;
}

/// A CP2102 stick: vendor class, known by its driver only.
inline LocalDevice cp210x_stick(const std::string& place) {
    LocalDevice local = acm_board(place);
    local.device.id = {0x10c4, 0xea60};
    local.device.bcd_device = 0x0100;
    local.device.device_class = {};
    local.device.interfaces = {{255, 0, 0}};
    local.drivers = {"cp210x"};
    return local;
}

inline LocalDevice keyboard(const std::string& place) {
    LocalDevice local = acm_board(place);
    local.device.id = {0x046d, 0xc31c};
    local.device.device_class = {};
    local.device.interfaces = {{3, 1, 1}};
    local.drivers = {"usbhid"};
    return local;
}

/// As it looks once usbip-host has it: no configuration, no interface drivers.
inline LocalDevice bound(LocalDevice local) {
    local.device_driver = "usbip-host";
    local.configuration = 0;
    local.drivers.clear();
    local.driverless = 0;
    local.networks.clear();
    local.disks.clear();
    return local;
}

inline LocalDevice with_devnum(LocalDevice local, unsigned devnum) {
    local.device.devnum = devnum;
    return local;
}

} // namespace longcord::testing
