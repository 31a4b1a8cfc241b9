// SPDX-License-Identifier: MIT
// vhci never takes back the speed that a port's last device had: `rh_port_disconnect()` leaves
// USB_PORT_STAT_HIGH_SPEED in the port's status, and for a full speed device `vhci_hub_control()`
// sets nothing (drivers/usb/usbip/vhci_hcd.c, seen on 6.1: "vhci_device speed not set"). So a full
// speed board that follows a high speed one is enumerated as what it is not. Its hub does clear any
// bit of that status when asked by ClearPortFeature, which is what is done here, on a free port.
#pragma once

#include "base/error.hpp"
#include "base/roots.hpp"
#include "usb/device.hpp"

#include <functional>
#include <mutex>
#include <set>
#include <utility>

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

/// Of that free port. Waits for the hub's lock: for the WorkerPool.
Result<> forget_port_speed(const Roots&, unsigned vhci_port);

/// What can be known of the speeds that ports still have, since while a device is enumerated its
/// hub's lock is held, and the next one should not wait for it. For any thread.
class PortSpeeds {
  public:
    using Forget = std::function<Result<>(const Roots&, unsigned vhci_port)>;
    explicit PortSpeeds(Forget forget = forget_port_speed) : forget_(std::move(forget)) {}

    /// Before a device of that speed is attached to that free port. A port's high speed wins over
    /// its low speed, and full speed is neither (hub_port_wait_reset(), drivers/usb/core/hub.c): a
    /// high speed device is taken for what it is after any other, and a full speed one after none
    /// but its like.
    Result<> make_ready(const Roots&, unsigned vhci_port, Speed);
    /// Its last device was not what it should be: a stranger may have had the port in between.
    void distrust(unsigned vhci_port);

  private:
    Forget forget_;
    std::mutex mutex_;
    std::set<unsigned> clear_; ///< ports without a speed: since we forgot it, full speed only
};

} // namespace longcord
