// SPDX-License-Identifier: MIT
// vhci never takes back the speed that a port's last device had: `rh_port_disconnect()` leaves
// USB_PORT_STAT_HIGH_SPEED in the port's status, and for a full speed device `vhci_hub_control()`
// sets nothing (drivers/usb/usbip/vhci_hcd.c, seen on 6.1: "vhci_device speed not set"). So a full
// speed board that follows a high speed one is enumerated as what it is not. Its hub does clear any
// bit of that status when asked by ClearPortFeature, which is what is done here, on a free port.
#pragma once

#include "base/error.hpp"
#include "base/roots.hpp"

namespace longcord {

/// A port of a root hub: which hub it is, and the port's number there, from 1.
struct HubPort {
    unsigned bus = 0;
    unsigned devnum = 0;
    unsigned port = 0;
    bool operator==(const HubPort&) const = default;
};

/// Where vhci port `vhci_port` is among the hs ports. not_found: there is no such port, or it is an
/// ss port, which has one speed only.
Result<HubPort> hs_hub_port(const Roots&, unsigned vhci_port);

/// Before a device is attached to that free port. Waits for the hub's lock: for the WorkerPool.
Result<> forget_port_speed(const Roots&, unsigned vhci_port);

} // namespace longcord
