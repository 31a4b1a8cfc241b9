// SPDX-License-Identifier: MIT
#include "pi/report.hpp"

#include <nlohmann/json.hpp>

namespace longcord {

namespace {

using nlohmann::json;

/// Why it is where it is: an operation that failed says more than the wish.
std::string reason(const PiReportInput& input, const std::string& busid) {
    if (const auto failed = input.state.failed.find(busid); failed != input.state.failed.end())
        return failed->second.why;
    const auto judgement = input.judgements.find(busid);
    return judgement == input.judgements.end() ? "not looked at yet" : judgement->second.why;
}

bool is_wanted(const PiReportInput& input, const std::string& busid) {
    const auto judgement = input.judgements.find(busid);
    return judgement != input.judgements.end() &&
           judgement->second.kind == Judgement::Kind::exported;
}

json report_device(const PiReportInput& input, const std::string& busid, const LocalDevice& local) {
    const Device& device = local.device;
    const bool exported = input.state.announced.contains(busid);
    const State* state = exported ? input.state_of(busid) : nullptr;
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
        {"mode", is_wanted(input, busid) ? "usbip" : "off"},
        {"exported", exported},
        {"state", state ? json(state->state) : json()},
        {"node", state ? json(state->node) : json()},
        {"vmid", state && state->vmid ? json(*state->vmid) : json()},
        {"why", state && !state->why.empty() ? state->why : reason(input, busid)},
    };
}

} // namespace

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
             {"problem", link.problem}});
    if (input.links.empty())
        problems.push_back("pi.yaml names no node to link with (\"nodes\")");
    if (!input.usbip_host)
        problems.push_back("no usbip-host: run \"modprobe usbip-host\" to export devices");
    return {
        {"role", "pi"},
        {"name", input.name},
        {"version", LONGCORD_VERSION},
        {"links", std::move(links)},
        {"devices", report_pi_devices(input)["devices"]},
        {"problems", std::move(problems)},
    };
}

} // namespace longcord
