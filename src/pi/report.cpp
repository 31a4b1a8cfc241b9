// SPDX-License-Identifier: MIT
#include "pi/report.hpp"

#include "usbip/export.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace longcord {

namespace {

using nlohmann::json;

DeviceMode mode_of(const PiReportInput& input, const std::string& busid) {
    const auto judgement = input.judgements.find(busid);
    return judgement == input.judgements.end() ? DeviceMode::off : judgement->second.mode;
}

json text_or_null(const std::string& text) {
    return text.empty() ? json() : json(text);
}

/// Null: nobody has it. Whoever has it is known from the stream, before a node has said anything.
json report_stream(const std::optional<StreamStatus>& stream) {
    if (!stream)
        return {};
    const char* state = stream->state == Lease::State::promised    ? "promised"
                        : stream->state == Lease::State::streaming ? "streaming"
                                                                   : "held back";
    return {
        {"state", state},
        {"engine", text_or_null(stream->engine)},
        {"node", text_or_null(stream->holder.node)},
        {"vmid", stream->holder.vmid ? json(*stream->holder.vmid) : json()}};
}

json report_port(const SerialPortReport& port) {
    const auto& server = port.status.server;
    return {
        {"name", port.name},
        {"controller_place", port.stable_place},
        {"port", port.port},
        {"observe_port", port.observe == 0 ? json() : json(port.observe)},
        {"listening", port.status.problem.empty()},
        {"problem", port.status.problem},
        {"tty", text_or_null(port.tty)},
        {"present", server.present},
        {"mode", std::string(to_string(server.mode))},
        {"baud", server.line.baud},
        {"owner", text_or_null(server.owner)},
        {"observers", server.observers}};
}

/// Of one place, or of all with the empty one.
json report_ports(const PiReportInput& input, const std::string& place) {
    json ports = json::array();
    for (const SerialPortReport& port : input.serial_ports)
        if (place.empty() || port.place == place)
            ports.push_back(report_port(port));
    return ports;
}

/// Why nobody has it where a node has not said so.
std::string why_of(
    const PiReportInput& input, const std::string& busid, const State* state,
    const std::optional<StreamStatus>& stream) {
    if (state && !state->why.empty())
        return state->why;
    if (stream && stream->state == Lease::State::held_back)
        return fmt::format(
            "its stream to {} died with the link: kept for that node a moment longer",
            stream->holder.node);
    return why_it_is_where_it_is(input, busid);
}

/// Null: it could leave this machine. A bound device no longer shows that it is a network adapter:
/// what it was before counts too.
json why_never(const PiReportInput& input, const std::string& busid, const LocalDevice& local) {
    if (!input.never_leaves)
        return {};
    auto why = input.never_leaves(local);
    const auto before = input.state.before.find(busid);
    if (!why && before != input.state.before.end() &&
        same_kind(before->second.local.device, local.device))
        why = input.never_leaves(before->second.local);
    return why ? json(*why) : json();
}

json report_hubs(const PiReportInput& input) {
    json hubs = json::array();
    for (const HubPorts& hub : input.hubs)
        hubs.push_back(
            {{"name", hub.name},
             {"controller", text_or_null(hub.controller)},
             {"ports", hub.ports}});
    return hubs;
}

json report_device(const PiReportInput& input, const std::string& busid, const LocalDevice& local) {
    const Device& device = local.device;
    const bool exported = input.state.announced.contains(busid);
    const State* state = exported ? input.state_of(busid) : nullptr;
    const auto stream = exported ? input.stream_of(busid) : std::nullopt;
    return {
        {"place", busid},
        {"controller", device.controller},
        {"id", device.id.to_string()},
        {"devnum", device.devnum},
        {"product", device.product},
        {"serial", device.serial},
        {"manufacturer", device.manufacturer},
        {"class", device.device_class.code},
        {"speed", std::string(to_string(device.speed))},
        {"hub", device.is_hub()},
        {"mode", std::string(to_string(mode_of(input, busid)))},
        {"exported", exported},
        {"state", state ? json(state->state) : json()},
        {"node", state ? json(state->node) : json()},
        {"vmid", state && state->vmid ? json(*state->vmid) : json()},
        {"vm", state ? text_or_null(state->vm) : json()},
        {"stream", report_stream(stream)},
        {"serial_ports", report_ports(input, busid)},
        {"paused", input.is_paused && input.is_paused(device)},
        {"stays", why_never(input, busid, local)},
        {"why", why_of(input, busid, state, stream)},
    };
}

} // namespace

std::string why_it_is_where_it_is(const PiReportInput& input, const std::string& busid) {
    if (const auto failed = input.state.failed.find(busid); failed != input.state.failed.end())
        return failed->second.why;
    const auto judgement = input.judgements.find(busid);
    return judgement == input.judgements.end() ? "not looked at yet" : judgement->second.why;
}

static std::size_t count_bound(const ExportState& state) {
    return static_cast<std::size_t>(std::ranges::count_if(
        state.plugged, [](const auto& each) { return is_bound(each.second.local); }));
}

static json report_server(const PiReportInput& input) {
    return {
        {"port", input.server.port},
        {"listening", input.server.listening},
        {"strangers", input.server.strangers},
        {"turned_away", input.server.turned_away},
        {"refused_tickets",
         {{"wrong", input.refused.wrong},
          {"replayed", input.refused.replayed},
          {"late", input.refused.late}}}};
}

json report_pi_devices(const PiReportInput& input) {
    // Ordered by place, as people count: 1-9 before 1-10.
    std::map<Place, const LocalDevice*> places;
    for (const auto& [busid, plugged] : input.state.plugged)
        places.emplace(plugged.local.device.place, &plugged.local);
    json devices = json::array();
    for (const auto& [place, local] : places)
        devices.push_back(report_device(input, place.busid(), *local));
    return {{"devices", std::move(devices)}};
}

json report_pi_status(const PiReportInput& input) {
    json links = json::array();
    json problems = json::array();
    for (const auto& link : input.links)
        links.push_back(
            {{"node", link.node.empty() ? json() : json(link.node)},
             {"host", link.host},
             {"linked", link.linked},
             {"joined", link.joined},
             {"software", text_or_null(link.software)},
             {"since_s", link.since ? json(link.since->count()) : json()},
             {"rtt_ms",
              link.round_trip
                  ? json(std::chrono::duration<double, std::milli>(*link.round_trip).count())
                  : json()},
             {"problem", link.problem}});
    if (input.links.empty())
        problems.push_back(
            "no node to link with: run \"longcord pair NAME\" on a node, and here the \"longcord "
            "join\" that it prints");
    if (!input.usbip_host)
        problems.push_back("no usbip-host: run \"modprobe usbip-host\" to export devices");
    if (!input.server.problem.empty())
        problems.push_back(input.server.problem);
    if (!input.modes_problem.empty())
        problems.push_back(input.modes_problem);
    for (const auto& problem : input.serial_problems)
        problems.push_back(problem);
    const auto bound = count_bound(input.state);
    if (bound >= max_exports)
        problems.push_back(fmt::format(
            "{} devices are exported, which is all that usbip-host can have: the next one stays "
            "here",
            bound));
    return {
        {"role", "pi"},
        {"name", input.name},
        {"version", LONGCORD_VERSION},
        {"links", std::move(links)},
        {"devices", report_pi_devices(input)["devices"]},
        {"hubs", report_hubs(input)},
        {"exports", {{"used", bound}, {"limit", max_exports}}},
        {"usbip", report_server(input)},
        {"serial_ports", report_ports(input, "")},
        {"problems", std::move(problems)},
    };
}

} // namespace longcord
