// SPDX-License-Identifier: MIT
// Which ports this machine's own drivers are kept from: empty ones whose next device is, as far as
// can be told, exported. So a board that is plugged in again meets no driver here, no tty comes and
// goes, and nobody sends it a byte. A port with a device on it needs no claim: usbip-host makes its
// own while it has the device. Pure.
#pragma once

#include "pi/export_state.hpp"
#include "pi/policy.hpp"
#include "usb/sysfs_reader.hpp"

#include <set>
#include <string>
#include <vector>

namespace longcord {

/// Their places, as busids: of those whose mode is usbip, those that `export.places` in pi.yaml
/// covers, and those where a device was exported before.
std::set<std::string> ports_to_claim(
    const std::vector<UsbPort>& ports, const ExportState& state, const ExportConfig& config,
    const Modes& modes);

/// False: ports_to_claim() is empty whatever ports there are.
bool may_claim(const ExportState& state, const ExportConfig& config, const Modes& modes);

/// What can make ports_to_claim() longer, or shorter by more than what was plugged in: that is left
/// to whoever looks at it. Reading all ports is too much for each step of a plug.
class ClaimNews {
  public:
    /// Since the call before: something went, ports came, or settings changed; true at first.
    bool take(const ExportState& state, const ExportConfig& config, const Modes& modes);

  private:
    bool first_ = true;
    std::set<std::string> plugged_;
    std::set<unsigned> buses_;
    ExportConfig config_;
    Modes modes_;
};

} // namespace longcord
