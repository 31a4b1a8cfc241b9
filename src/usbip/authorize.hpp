// SPDX-License-Identifier: MIT
// The host never binds a driver to an imported device: vhci's root hubs authorise nothing by
// themselves, a device is authorised here once its descriptors were compared, and its interfaces
// get authorised without being probed (docs/adr/0001). Writes here do USB I/O over the network
// inside the system call: call it on the WorkerPool.
#pragma once

#include "base/error.hpp"
#include "base/roots.hpp"
#include "usbip/port_claims.hpp"

#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

namespace longcord {

/// Of every controller, by folder: .../vhci_hcd.0/usb5
std::vector<std::filesystem::path> vhci_root_hubs(const Roots&);

/// On every root hub of vhci: authorized_default and interface_authorized_default 0, and its ports'
/// quirks 3. udev/60-longcord-host.rules does the first two the moment the hubs appear; this holds
/// where the module was loaded before the package was there. A hub that was closed too early for
/// its own driver gets it. not_found: vhci_hcd is not loaded.
Result<> prepare_vhci_root_hubs(const Roots&);

/// What prepare_vhci_root_hubs changed, as the kernel had it. not_found: vhci_hcd is not loaded.
Result<> restore_vhci_root_hubs(const Roots&);

/// `sysname` is the device's name on this host: "5-1". Authorises it, selects `configuration` where
/// another one is active, claims its port, and authorises its interfaces. refused: its root hub
/// would let drivers bind (prepare_vhci_root_hubs has not been there, or it is no vhci bus).
Result<> authorize_device(
    const Roots&, PortClaims& claims, std::string_view sysname,
    std::optional<unsigned> configuration);

/// Whether the device is configured and every interface of it authorised: what authorize_device
/// brings about, found again after a restart.
bool is_authorized(const Roots&, std::string_view sysname);

/// For a device on a vhci port that is not ours: authorised, and drivers are looked for, as if
/// Longcord were not there.
Result<> authorize_foreign_device(const Roots&, std::string_view sysname);

/// Before a planned device_del, right before: QEMU's request to re-attach drivers then finds a
/// device without a configuration. It ends the guest's transfers, asks the device
/// (SET_CONFIGURATION 0), and so must not be used on a dead stream: detach that instead. A device
/// that is gone is no error. authorize_device makes it usable again. The whole device and not its
/// interfaces one by one: at the first of them QEMU takes the device for unplugged and re-attaches
/// the drivers of the others.
Result<> deauthorize_device(const Roots&, std::string_view sysname);

} // namespace longcord
