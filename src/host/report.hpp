// SPDX-License-Identifier: MIT
// The World as people and programs see it through the control socket: `status`, `devices`,
// `explain`. Pure; the shapes are those of docs/control.md.
#pragma once

#include "host/plain_servers.hpp"
#include "host/rules_state.hpp"
#include "host/serial_offers.hpp"
#include "plan/planner.hpp"
#include "proxmox/config_watcher.hpp"

#include <nlohmann/json_fwd.hpp>

namespace longcord {

struct ReportInput {
    const World& world;
    const std::map<Place, Outcome>& outcomes;
    const std::map<unsigned, RulesState>& rules;
    const PveSnapshot& pve;
    std::map<std::string, milliseconds> round_trips; ///< by Pi
    std::string config_problem;                      ///< of host.yaml, which was read anew in vain
    std::set<unsigned> unwritten; ///< VMs of which something is kept in memory only
    std::vector<SerialOffers::Status> serial_offers{};
    std::map<std::string, std::string> software{}; ///< by Pi: "longcord-pi 0.1.0"
};

nlohmann::json report_devices(const ReportInput& input);
/// `vmid`: only what concerns that VM.
nlohmann::json report_status(const ReportInput& input, std::optional<unsigned> vmid);
nlohmann::json report_rescan(const std::vector<PlainServers::Answer>& answers);
nlohmann::json report_explain(const ReportInput& input, const Place& place);

} // namespace longcord
