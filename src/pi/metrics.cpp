// SPDX-License-Identifier: MIT
#include "pi/metrics.hpp"

#include "base/prometheus.hpp"

#include <nlohmann/json.hpp>

namespace longcord {

namespace {

void devices(PrometheusText& out, const PiReportInput& input) {
    std::map<std::string, unsigned> by_state;
    unsigned exported = 0;
    unsigned streams = 0;
    const auto report = report_pi_devices(input);
    for (const auto& device : report.at("devices")) {
        const auto& state = device.at("state");
        ++by_state[state.is_string() ? state.get<std::string>() : "none"];
        exported += device.at("exported") == true;
        streams += device.at("stream").is_object() && device["stream"].at("state") == "streaming";
    }
    out.metric("longcord_devices", "gauge", "USB devices by what a node made of them");
    for (const auto& [state, number] : by_state)
        out.value("longcord_devices", {{"state", state}}, number);
    out.metric("longcord_exported_devices", "gauge", "devices that the nodes were told of");
    out.value("longcord_exported_devices", {}, exported);
    out.metric("longcord_streams", "gauge", "devices that a node or a plain client has now");
    out.value("longcord_streams", {}, streams);
}

/// What came to the USB/IP port and got nothing.
void refusals(PrometheusText& out, const PiReportInput& input) {
    out.metric("longcord_refused_tickets_total", "counter", "tickets that were good for nothing");
    const std::pair<std::string_view, std::uint64_t> tickets[] = {
        {"wrong", input.refused.wrong},
        {"replayed", input.refused.replayed},
        {"late", input.refused.late}};
    for (const auto& [reason, number] : tickets)
        out.value(
            "longcord_refused_tickets_total", {{"reason", reason}}, static_cast<double>(number));
    out.metric(
        "longcord_turned_away_total", "counter",
        "connections to the USB/IP port that ended without a stream");
    out.value("longcord_turned_away_total", {}, static_cast<double>(input.server.turned_away));
}

/// A port keeps its place and number whether its device is plugged in or not.
void serial_ports(PrometheusText& out, const PiReportInput& input) {
    const auto each = [&](std::string_view name, const auto& value_of) {
        for (const SerialPortReport& port : input.serial_ports)
            out.value(
                name,
                {{"place", port.name},
                 {"controller_place", port.stable_place},
                 {"port", std::to_string(port.port)}},
                value_of(port));
    };
    out.metric("longcord_serial_port_listening", "gauge", "1: clients can connect to it");
    each("longcord_serial_port_listening", [](const SerialPortReport& port) {
        return port.status.problem.empty() ? 1.0 : 0.0;
    });
    out.metric("longcord_serial_port_present", "gauge", "1: its device is plugged in");
    each("longcord_serial_port_present", [](const SerialPortReport& port) {
        return port.status.server.present ? 1.0 : 0.0;
    });
    out.metric("longcord_serial_port_owned", "gauge", "1: a client has it");
    each("longcord_serial_port_owned", [](const SerialPortReport& port) {
        return port.status.server.owner.empty() ? 0.0 : 1.0;
    });
    out.metric("longcord_serial_port_observers", "gauge", "clients that only read");
    each("longcord_serial_port_observers", [](const SerialPortReport& port) {
        return static_cast<double>(port.status.server.observers);
    });
}

} // namespace

std::string pi_metrics(const PiReportInput& input) {
    PrometheusText out;
    out.metric("longcord_info", "gauge", "which service this is");
    out.value(
        "longcord_info", {{"role", "pi"}, {"node", input.name}, {"version", LONGCORD_VERSION}}, 1);
    devices(out, input);
    out.metric("longcord_link_up", "gauge", "1: this node is linked");
    for (const auto& link : input.links)
        out.value("longcord_link_up", {{"node", link.host}}, link.linked ? 1 : 0);
    refusals(out, input);
    serial_ports(out, input);
    return out.text();
}

} // namespace longcord
