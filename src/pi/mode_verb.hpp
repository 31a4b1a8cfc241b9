// SPDX-License-Identifier: MIT
// `mode` on the control socket, up to what it changes: {"place":"1-1.2","mode":"serial"}, or
// {"id":"10c4:ea60","serial":"0001","mode":"off"}; mode "default" takes a mode back.
#pragma once

#include "base/roots.hpp"
#include "pi/export_state.hpp"
#include "pi/policy.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace longcord {

struct ModeChange {
    std::variant<ControllerPlace, DeviceIdentity> which;
    std::optional<DeviceMode> mode; ///< nullopt: as pi.yaml and the drivers have it
    std::string what;               ///< for people: "1-1.2", "10c4:ea60 serial=0001"
    /// Devices that are here and would leave their present drivers: their disks must not be in use.
    std::vector<LocalDevice> leaving;

    std::string mode_word() const; ///< "usbip", ..., "default"
    nlohmann::json to_json() const;
};

/// "1-1.2", or by controller "platform-fe9c0000.xhci/1.2".
Result<ControllerPlace> read_place(const Roots& roots, const std::string& text);

/// invalid: no such place, device or mode. refused: a device that is plugged there never leaves
/// this machine, with the reason; only `off` and `default` can be set for it.
Result<ModeChange> read_mode_change(
    const nlohmann::json& args, const Roots& roots, const ExportState& state,
    const ExportConfig& config);

/// full: there are max_modes already.
Result<> apply(const ModeChange& change, Modes& modes);

} // namespace longcord
