// SPDX-License-Identifier: MIT
// What the planner asks for. Each action concerns one place or one VM, and its outcome is written
// back into the World, which wakes the planner again.
#pragma once

#include "qmp/commands.hpp"
#include "usb/device.hpp"

#include <optional>
#include <string>
#include <variant>

namespace longcord {

/// A QMP session without commands: what does QEMU say?
struct LookAtVm {
    unsigned vmid = 0;
    bool operator==(const LookAtVm&) const = default;
};

/// Give a running VM a USB controller, where host.yaml allows it.
struct AddController {
    unsigned vmid = 0;
    bool operator==(const AddController&) const = default;
};

/// Who on this host uses this device of its own? Asked right before it is plugged.
struct LookAtUse {
    Place place;
    std::string sysname; ///< "3-4.1"
    std::string node;    ///< "/dev/bus/usb/003/007"
    bool operator==(const LookAtUse&) const = default;
};

/// Fetch a Pi's device: stream, handshake, vhci attach.
struct ImportDevice {
    Place place;
    std::string server; ///< the link's peer address
    unsigned server_port = 0;
    unsigned vhci_port = 0; ///< chosen free, reserved while in flight
    unsigned vmid = 0;      ///< for whom: other nodes that want it are told
    bool plain = false;     ///< from a plain USB/IP server, not a paired Pi
    bool operator==(const ImportDevice&) const = default;
};

/// Give an import that is what its Pi said a configuration and its interfaces, without host
/// drivers.
struct AuthorizeImport {
    Place place;
    std::string sysname; ///< its name on this host: "5-1"
    std::optional<unsigned> configuration;
    unsigned vhci_port = 0; ///< it came through; nobody else's while this is under way
    bool operator==(const AuthorizeImport&) const = default;
};

struct PlugDevice {
    Place place;
    unsigned vmid = 0;
    PlugCommand command;
    bool operator==(const PlugDevice&) const = default;
};

struct UnplugDevice {
    Place place;
    unsigned vmid = 0;
    std::string id;
    /// An import's name on this host: it is deauthorised first, because QEMU hands a device back to
    /// host drivers as it lets go. Empty: a real device of this host, or one that is gone.
    std::string deauthorize;
    std::optional<unsigned> vhci_port; ///< of what is deauthorised; likewise
    bool operator==(const UnplugDevice&) const = default;
};

struct DetachImport {
    Place place;
    unsigned vhci_port = 0;
    std::string why;
    bool in_vain = false; ///< the attempt failed: wait before the next one
    bool operator==(const DetachImport&) const = default;
};

using Action = std::variant<
    LookAtVm, AddController, LookAtUse, ImportDevice, AuthorizeImport, PlugDevice, UnplugDevice,
    DetachImport>;

/// "plug workbench/1-1.2 into VM 100 (xhci.0 port 15)": for logs and tests.
std::string to_string(const Action& action);

/// The place it concerns; nullptr: it is about a VM.
const Place* place_of(const Action& action) noexcept;

/// The vhci port that it works on, or on the device behind it.
std::optional<unsigned> vhci_port_of(const Action& action) noexcept;

} // namespace longcord
