// SPDX-License-Identifier: MIT
// What a session can be asked to do in a VM.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>

namespace longcord {

/// Properties of usb-host beside those that say which device and where: guest-reset, isobufs, ...
using UsbHostProperties = std::map<std::string, std::variant<bool, std::int64_t, std::string>>;

/// Put the device behind a usbfs node into the VM. Done means: QEMU has it open and attached.
struct PlugCommand {
    std::string id;         ///< of plug_id()
    std::string hostdevice; ///< "/dev/bus/usb/003/007"
    std::string bus;        ///< "xhci.0"
    unsigned port = 0;      ///< of that bus, from 1
    UsbHostProperties properties;

    bool operator==(const PlugCommand&) const = default;
};

/// Take it out. Done means: it is not there; so it is no error if it was not there before.
struct UnplugCommand {
    std::string id; ///< of plug_id()

    bool operator==(const UnplugCommand&) const = default;
};

/// Add an xHCI controller on the slot of pci.1 that Proxmox never uses. Done means: it is there.
struct AddControllerCommand {
    std::string id = "longcord";

    bool operator==(const AddControllerCommand&) const = default;
};

using VmCommand = std::variant<PlugCommand, UnplugCommand, AddControllerCommand>;

inline const std::string& id_of(const VmCommand& command) {
    return std::visit([](const auto& c) -> const std::string& { return c.id; }, command);
}

} // namespace longcord
