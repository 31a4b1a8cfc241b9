// SPDX-License-Identifier: MIT
#include "host/metrics.hpp"

#include "base/prometheus.hpp"

namespace longcord {

namespace {

double seconds_of(milliseconds time) {
    return std::chrono::duration<double>(time).count();
}

void devices(PrometheusText& out, const std::map<Place, Outcome>& outcomes) {
    std::map<std::string_view, unsigned> by_state;
    for (const auto state :
         {DeviceState::unclaimed, DeviceState::waiting, DeviceState::importing,
          DeviceState::plugging, DeviceState::plugged, DeviceState::leaving, DeviceState::held_off,
          DeviceState::conflict, DeviceState::refused, DeviceState::hub})
        by_state[to_string(state)] = 0;
    for (const auto& [place, outcome] : outcomes)
        ++by_state[to_string(outcome.state)];
    out.metric("longcord_devices", "gauge", "USB devices by what became of them");
    for (const auto& [state, number] : by_state)
        out.value("longcord_devices", {{"state", state}}, number);
}

void steps(PrometheusText& out, const Counters& counters) {
    out.metric("longcord_steps_total", "counter", "steps done since the service started");
    for (const char* step :
         {"imported", "authorised", "plugged", "unplugged", "detached", "controller-added"}) {
        const auto done = counters.done.find(step);
        out.value(
            "longcord_steps_total", {{"step", step}},
            done == counters.done.end() ? 0 : static_cast<double>(done->second));
    }
    out.metric("longcord_failures_total", "counter", "steps that failed, by what was to be done");
    for (const char* step :
         {"imported", "authorised", "plugged", "unplugged", "detached", "controller-added"}) {
        const auto failed = counters.failed.find(step);
        out.value(
            "longcord_failures_total", {{"step", step}},
            failed == counters.failed.end() ? 0 : static_cast<double>(failed->second));
    }
}

void qmp(PrometheusText& out, const DurationHistogram& held) {
    constexpr std::string_view name = "longcord_qmp_hold_seconds";
    out.metric(name, "histogram", "how long a VM's monitor was kept from others");
    std::uint64_t so_far = 0;
    for (std::size_t i = 0; i < held.bounds.size(); ++i) {
        so_far += held.at_most[i];
        out.value(
            fmt::format("{}_bucket", name), {{"le", fmt::format("{}", seconds_of(held.bounds[i]))}},
            static_cast<double>(so_far));
    }
    const auto count = static_cast<double>(held.count);
    out.value(fmt::format("{}_bucket", name), {{"le", "+Inf"}}, count);
    out.value(fmt::format("{}_sum", name), {}, seconds_of(held.sum));
    out.value(fmt::format("{}_count", name), {}, count);
    out.metric("longcord_qmp_hold_longest_seconds", "gauge", "the longest of these");
    out.value("longcord_qmp_hold_longest_seconds", {}, seconds_of(held.longest));
}

void ports(PrometheusText& out, const World& world) {
    out.metric("longcord_imports", "gauge", "devices of Pis on vhci ports of this node");
    out.value("longcord_imports", {}, static_cast<double>(world.imports.size()));
    std::map<std::pair<bool, bool>, unsigned> vhci; // super, free
    for (const bool super : {false, true})
        for (const bool idle : {false, true})
            vhci[{super, idle}] = 0;
    for (const auto& row : world.vhci)
        ++vhci[{row.super, row.state == VhciPort::State::free}];
    out.metric("longcord_vhci_ports", "gauge", "ports of vhci_hcd, by speed and use");
    for (const auto& [key, number] : vhci)
        out.value(
            "longcord_vhci_ports",
            {{"speed", key.first ? "super" : "high"}, {"state", key.second ? "free" : "used"}},
            number);
}

void links(PrometheusText& out, const World& world) {
    out.metric("longcord_link_up", "gauge", "1: the Pi is linked");
    for (const auto& [name, pi] : world.pis)
        out.value("longcord_link_up", {{"pi", name}}, pi.linked ? 1 : 0);
    out.metric("longcord_vms_running", "gauge", "VMs with a QEMU on this node");
    out.value("longcord_vms_running", {}, static_cast<double>(world.vms.size()));
}

} // namespace

std::string host_metrics(
    const World& world, const std::map<Place, Outcome>& outcomes, const Counters& counters) {
    PrometheusText out;
    out.metric("longcord_info", "gauge", "which service this is");
    out.value(
        "longcord_info", {{"role", "host"}, {"node", world.node}, {"version", LONGCORD_VERSION}},
        1);
    devices(out, outcomes);
    steps(out, counters);
    qmp(out, counters.qmp);
    ports(out, world);
    links(out, world);
    return out.text();
}

} // namespace longcord
