// SPDX-License-Identifier: MIT
// What a session saw of a VM: whether it runs, its xHCI controllers, and who sits at their ports.
// This is the truth the service is rebuilt from after a restart.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace longcord {

enum class RunState { running, paused, prelaunch, inmigrate, suspended, shutdown, other };

/// Of query-status' `status` (QEMU qapi/run-state.json).
RunState run_state_from(std::string_view status) noexcept;
/// For messages: "VM is paused".
std::string_view to_string(RunState state) noexcept;

/// An xHCI controller that has an id.
struct GuestController {
    std::string id;   ///< "xhci"
    std::string type; ///< "qemu-xhci", "nec-usb-xhci"
    std::string bus;  ///< "xhci.0", what a device_add names
    unsigned ports;   ///< 1..ports take a device of any speed: the smaller of p2 and p3

    bool operator==(const GuestController&) const = default;
};

/// Any USB device of the VM, ours or not, on whichever controller.
struct GuestDevice {
    std::string id;   ///< empty: made without one
    std::string type; ///< "usb-host", "usb-tablet"
    std::string bus;  ///< "xhci.0"
    std::string port; ///< "5"; "8.1" is behind a hub of QEMU's at port 8
    /// These three are asked of usb-host only.
    bool attached;          ///< false: QEMU has it, the guest does not see it
    std::string hostdevice; ///< node it was plugged by; empty: by a filter
    std::string hostport;   ///< that filter's port ("4.1"); empty where hostdevice is set

    bool operator==(const GuestDevice&) const = default;
};

struct VmView {
    RunState state = RunState::other;
    std::vector<GuestController> controllers;
    std::vector<GuestDevice> devices;

    bool operator==(const VmView&) const = default;
};

} // namespace longcord
