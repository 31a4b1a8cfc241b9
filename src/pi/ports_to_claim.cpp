// SPDX-License-Identifier: MIT
#include "pi/ports_to_claim.hpp"

#include <algorithm>
#include <utility>

namespace longcord {

static bool any_covers(const std::vector<Place>& places, const Place& place) {
    return std::ranges::any_of(places, [&](const Place& each) { return each.covers(place); });
}

static bool is_for_export(
    const UsbPort& port, const ExportState& state, const ExportConfig& config, const Modes& modes) {
    if (any_covers(config.never.places, port.place))
        return false;
    Device anything;
    anything.place = port.place;
    anything.controller = port.controller;
    if (modes.is_paused(anything))
        return false;
    if (const auto mode = modes.of(anything))
        return *mode == DeviceMode::usbip;
    if (any_covers(config.places, port.place))
        return true;
    const auto before = state.before.find(port.place.busid());
    return before != state.before.end() && !before->second.adopted &&
           judge(before->second.local, config, modes, true).kind == Judgement::Kind::exported;
}

std::set<std::string> ports_to_claim(
    const std::vector<UsbPort>& ports, const ExportState& state, const ExportConfig& config,
    const Modes& modes) {
    std::set<std::string> claimed;
    for (const UsbPort& port : ports)
        if (const auto busid = port.place.busid();
            !state.plugged.contains(busid) && is_for_export(port, state, config, modes))
            claimed.insert(busid);
    return claimed;
}

bool may_claim(const ExportState& state, const ExportConfig& config, const Modes& modes) {
    return !state.before.empty() || !config.places.empty() || !modes.places.empty();
}

bool ClaimNews::take(const ExportState& state, const ExportConfig& config, const Modes& modes) {
    bool news = std::exchange(first_, false) || config != config_ || modes != modes_;
    std::set<std::string> plugged;
    for (const auto& [busid, device] : state.plugged) {
        const Device& came = device.local.device;
        news = news || (came.is_hub() && !plugged_.contains(busid));
        news = buses_.insert(came.place.bus).second || news;
        plugged.insert(busid);
    }
    news = news || !std::ranges::includes(plugged, plugged_);
    plugged_ = std::move(plugged);
    config_ = config;
    modes_ = modes;
    return news;
}

} // namespace longcord
