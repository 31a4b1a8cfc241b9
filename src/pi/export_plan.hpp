// SPDX-License-Identifier: MIT
// What to do next, given what is: pure, total, the same for the same input. Events only cause it to
// be asked again, so plugging, booting, replugging and a changed pi.yaml are one path.
#pragma once

#include "pi/export_state.hpp"
#include "pi/policy.hpp"

#include <optional>
#include <vector>

namespace longcord {

/// So long drivers take to be loaded and bound, on a slow Pi.
constexpr milliseconds settling_time{3000};

struct ExportPlan {
    std::vector<std::string> withdraw;           ///< tell the nodes that these are gone, first
    std::vector<Device> announce;                ///< tell the nodes of these
    std::vector<std::string> unbind;             ///< give these back to their own drivers
    std::vector<std::string> bind;               ///< take these for usbip-host
    std::vector<std::string> give_back;          ///< held ones: let their own drivers in
    std::optional<TimePoint> look_again;         ///< nothing may happen until then that wakes us
    std::map<std::string, Judgement> judgements; ///< of everything plugged, for people

    bool operator==(const ExportPlan&) const = default;
};

ExportPlan plan_exports(
    const ExportState& state, const ExportConfig& config, const Modes& modes, TimePoint now);

} // namespace longcord
