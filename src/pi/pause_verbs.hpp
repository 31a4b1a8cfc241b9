// SPDX-License-Identifier: MIT
// `detach` and `resume` on a Pi's control socket, up to what they change: a place that was detached
// by hand goes to no node, whatever is plugged there, until it is resumed. Pure.
#pragma once

#include "base/roots.hpp"
#include "pi/export_plan.hpp"

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace longcord {

struct PauseChange {
    bool pause = false;
    std::vector<ControllerPlace> which;
    std::vector<std::string> busids; ///< of those, what is plugged now
};

/// {"place":"1-1.2"} or by controller, or {"all":true}: detach takes what is for VMs now, resume
/// what is paused. invalid: no such place. refused: the device there is not for VMs; the message
/// says why.
Result<PauseChange> read_pause_change(
    bool pause, const nlohmann::json& args, const Roots& roots, const ExportState& state,
    const std::map<std::string, Judgement>& judgements, const Modes& modes);

/// full: there are max_modes already. Returns whether it changed anything.
Result<bool> apply(const PauseChange& change, Modes& modes);

} // namespace longcord
