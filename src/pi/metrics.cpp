// SPDX-License-Identifier: MIT
#include "pi/metrics.hpp"

#include "base/prometheus.hpp"

#include <nlohmann/json.hpp>

namespace longcord {

std::string pi_metrics(const PiReportInput& input) {
    PrometheusText out;
    out.metric("longcord_info", "gauge", "which service this is");
    out.value(
        "longcord_info", {{"role", "pi"}, {"node", input.name}, {"version", LONGCORD_VERSION}}, 1);
    std::map<std::string, unsigned> by_state;
    unsigned exported = 0;
    const auto report = report_pi_devices(input);
    for (const auto& device : report.at("devices")) {
        const auto& state = device.at("state");
        ++by_state[state.is_string() ? state.get<std::string>() : "none"];
        exported += device.at("exported") == true;
    }
    out.metric("longcord_devices", "gauge", "USB devices by what a node made of them");
    for (const auto& [state, number] : by_state)
        out.value("longcord_devices", {{"state", state}}, number);
    out.metric("longcord_exported_devices", "gauge", "devices that the nodes were told of");
    out.value("longcord_exported_devices", {}, exported);
    out.metric("longcord_link_up", "gauge", "1: this node is linked");
    for (const auto& link : input.links)
        out.value("longcord_link_up", {{"node", link.host}}, link.linked ? 1 : 0);
    return out.text();
}

} // namespace longcord
