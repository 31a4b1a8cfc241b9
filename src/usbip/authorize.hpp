// SPDX-License-Identifier: MIT
// The host never binds a driver to an imported device: vhci's root hubs authorise nothing by
// themselves, a device is authorised here once its descriptors were compared, and its interfaces
// get authorised without being probed (docs/adr/0001). Writes here do USB I/O over the network
// inside the system call: call it on the WorkerPool.
#pragma once

#include "base/error.hpp"
#include "base/roots.hpp"

#include <optional>
#include <string_view>

namespace longcord {

/// On every root hub of vhci: authorized_default and interface_authorized_default 0, and its ports'
/// quirks 3. udev/60-longcord-host.rules does the first two the moment the hubs appear; this holds
/// where the module was loaded before the package was there. not_found: vhci_hcd is not loaded.
Result<> prepare_vhci_root_hubs(const Roots&);

/// `sysname` is the device's name on this host: "5-1". Authorises it, selects `configuration` where
/// another one is active, and authorises its interfaces. refused: its root hub would let drivers
/// bind (prepare_vhci_root_hubs has not been there, or it is no vhci bus).
Result<> authorize_device(
    const Roots&, std::string_view sysname, std::optional<unsigned> configuration);

/// For a device on a vhci port that is not ours: authorised, and drivers are looked for, as if
/// Longcord were not there.
Result<> authorize_foreign_device(const Roots&, std::string_view sysname);

/// Before a planned device_del: afterwards QEMU's request to re-attach drivers finds none that may
/// bind. It ends the guest's transfers at once, waits for the device's answer, and so must not be
/// used on a dead stream (detach that instead). A device that is gone is no error.
Result<> deauthorize_interfaces(const Roots&, std::string_view sysname);

} // namespace longcord
