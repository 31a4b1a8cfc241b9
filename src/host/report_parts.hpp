// SPDX-License-Identifier: MIT
// What the reports have in common: a device and its state, in the words of docs/control.md.
#pragma once

#include "host/report.hpp"
#include "plan/situation.hpp"

#include <nlohmann/json.hpp>

namespace longcord {

/// Null for a VM of Proxmox.
nlohmann::json machine_name(const ReportInput& input, unsigned vmid);

nlohmann::json report_device(
    const ReportInput& input, const Place& place, const Situation& situation,
    const Outcome& outcome);

Outcome outcome_of(const ReportInput& input, const Place& place);

/// Machines have names, not numbers, in all that people read.
nlohmann::json worded(const ReportInput& input, nlohmann::json value);

} // namespace longcord
