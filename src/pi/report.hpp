// SPDX-License-Identifier: MIT
// This Pi as people and programs see it through the control socket: `status`, `devices`. Pure.
#pragma once

#include "pi/export_plan.hpp"
#include "pi/links.hpp"

#include <functional>

#include <nlohmann/json_fwd.hpp>

namespace longcord {

struct PiReportInput {
    std::string name;
    const ExportState& state;
    const std::map<std::string, Judgement>& judgements;
    std::vector<LinkStatus> links;
    std::function<const State*(const std::string& busid)> state_of; ///< what a node said of it
    bool usbip_host = true;                                         ///< the kernel module is loaded
};

nlohmann::json report_pi_devices(const PiReportInput& input);
nlohmann::json report_pi_status(const PiReportInput& input);

} // namespace longcord
