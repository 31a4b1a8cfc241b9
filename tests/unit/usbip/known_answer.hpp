// SPDX-License-Identifier: MIT
// One device, as a value and as the bytes that usbip_protocol.rst asks for, written out by hand.
#pragma once

#include "usbip/wire.hpp"

#include <string>

namespace longcord::test {

inline std::string zeros(std::size_t count) {
    return std::string(count, '\0');
}

inline std::string bytes(std::initializer_list<unsigned char> list) {
    return std::string(list.begin(), list.end());
}

inline std::string padded(std::string text, std::size_t size) {
    text.resize(size, '\0');
    return text;
}

inline WireDevice serial_adapter() {
    WireDevice device;
    device.path = "/sys/devices/pci0000:00/0000:00:1d.1/usb3/3-2";
    device.busid = "3-2";
    device.busnum = 3;
    device.devnum = 0x102;
    device.speed = Speed::full;
    device.id = {0x1a86, 0x55d4};
    device.bcd_device = 0x0443;
    device.device_class = {2, 1, 0};
    device.configuration = 1;
    device.configurations = 1;
    device.interface_count = 2;
    return device;
}

/// 312 bytes; offsets as in OP_REP_IMPORT, less its header of 8.
inline std::string serial_adapter_bytes() {
    return padded("/sys/devices/pci0000:00/0000:00:1d.1/usb3/3-2", 256) + // 0x000 path
           padded("3-2", 32) +                                            // 0x100 busid
           bytes({0, 0, 0, 3}) +                                          // 0x120 busnum
           bytes({0, 0, 1, 2}) +                                          // 0x124 devnum
           bytes({0, 0, 0, 2}) +                                          // 0x128 speed
           bytes({0x1a, 0x86, 0x55, 0xd4}) + // 0x12c idVendor, idProduct
           bytes({0x04, 0x43}) +             // 0x130 bcdDevice
           bytes({2, 1, 0}) +                // 0x132 class, sub, protocol
           bytes({1, 1, 2}); // 0x135 bConfigurationValue, bNumConfigurations, bNumInterfaces
}

} // namespace longcord::test
