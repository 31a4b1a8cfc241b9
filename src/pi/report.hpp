// SPDX-License-Identifier: MIT
// This Pi as people and programs see it through the control socket: `status`, `devices`. Pure.
#pragma once

#include "pi/export_plan.hpp"
#include "pi/links.hpp"
#include "pi/serial_desk.hpp"
#include "pi/usbip_server.hpp"
#include "usb/sysfs_reader.hpp"

#include <functional>

#include <nlohmann/json_fwd.hpp>

namespace longcord {

struct PiReportInput {
    std::string name;
    const ExportState& state;
    const std::map<std::string, Judgement>& judgements;
    std::vector<LinkStatus> links;
    std::function<const State*(const std::string& busid)> state_of; ///< what a node said of it
    std::function<std::optional<StreamStatus>(const std::string& busid)> stream_of;
    UsbipServerStatus server;
    Tickets::Refused refused;
    bool usbip_host = true;    ///< the kernel module is loaded
    std::string modes_problem; ///< modes.json cannot be read
    std::vector<SerialPortReport> serial_ports{};
    std::vector<std::string> serial_problems{};
    std::vector<HubPorts> hubs{};
    /// Why this device never leaves this machine; nullopt: it can.
    std::function<std::optional<std::string>(const LocalDevice&)> never_leaves{};
    std::function<bool(const Device&)> is_paused{};
};

/// A clause for people: an operation that failed says more than the wish.
std::string why_it_is_where_it_is(const PiReportInput& input, const std::string& busid);

nlohmann::json report_pi_devices(const PiReportInput& input);
nlohmann::json report_pi_status(const PiReportInput& input);

} // namespace longcord
