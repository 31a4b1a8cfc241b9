// SPDX-License-Identifier: MIT
// What Longcord needs to know of a VM's configuration, /etc/pve/qemu-server/<VMID>.conf: whether
// Proxmox is in the middle of something (`lock:`), which USB places it passes through by itself
// (`usbN:`), and who the VM is (`smbios1` uuid; a VMID may be given to another VM).
// The format is PVE's QemuServer.pm, parse_vm_config.
#pragma once

#include "proxmox/saved_ram.hpp"
#include "usb/device.hpp"
#include "usb/place.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace longcord {

/// The kinds between which decisions differ (design, section 6, "When to act").
enum class VmLock { none, backup, snapshot_delete, migrate, other };

/// One `usbN:` line. At most one of place, id, mapping and spice is set; none where the value is in
/// a form we do not know.
struct UsbLine {
    unsigned index = 0; ///< N; PVE gives the device port N+1 of its controller "xhci"
    std::string text;   ///< the value as it stands, printable
    std::optional<Place> place;
    std::optional<UsbId> id;
    std::string mapping; ///< name of a cluster-wide mapping
    bool spice = false;
    bool usb3 = false;

    bool operator==(const UsbLine&) const = default;
};

/// The value of a `usbN:` line: "host=1-2.3,usb3=1", "1-2", "0x10c4:ea60", "spice", "mapping=name".
UsbLine parse_usb_line(unsigned index, std::string_view value);

struct VmConfig {
    std::string name;
    VmLock lock = VmLock::none;
    std::string lock_text;  ///< "snapshot-delete"; empty: not locked
    std::string uuid;       ///< of smbios1, lower case; empty: it has none
    std::string ostype;     ///< "l26", "win11", ...
    std::string hookscript; ///< "local:snippets/longcord-hookscript"
    std::vector<UsbLine> usb;
    std::string args;
    std::vector<SavedRam> saved_ram; ///< of its snapshots, and its own while it hibernates

    bool operator==(const VmConfig&) const = default;
};

/// Total: lines that say nothing to us are skipped. Only the part before the first [section] is the
/// VM as it is; pending changes and snapshots follow, of which only `saved_ram` tells.
VmConfig parse_vm_config(std::string_view text);

} // namespace longcord
