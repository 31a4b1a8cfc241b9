// SPDX-License-Identifier: MIT
#include "pi/serial_places.hpp"

#include "pi/export_state.hpp"

#include <algorithm>
#include <set>

namespace longcord {

/// By bus where no controller is known: it holds until the bus has another number.
static std::string stable_place(const Device& device) {
    return device.controller.empty()
               ? device.place.busid()
               : ControllerPlace{device.controller, device.place.path}.to_string();
}

void SerialPlaces::update(const std::vector<SerialSeen>& seen, const Modes& modes) {
    std::set<std::string> plugged;
    for (const SerialSeen& each : seen) {
        const auto place = stable_place(each.device);
        plugged.insert(place);
        if (each.serial)
            serve(each);
        else
            places_.erase(place);
    }
    for (auto at = places_.begin(); at != places_.end();) {
        Served& served = at->second;
        const bool away = !plugged.contains(at->first);
        if (away)
            for (auto& [key, tty] : served.channels)
                tty.clear();
        const bool over = away && modes.of(served.device) != DeviceMode::serial;
        at = over ? places_.erase(at) : std::next(at);
    }
}

void SerialPlaces::serve(const SerialSeen& seen) {
    const auto place = stable_place(seen.device);
    Served& served = places_[place];
    if (!same_device(served.device, seen.device))
        served.interfaces.clear();
    served.device = seen.device;
    served.channels[place]; // a port even before there is a terminal
    for (auto& [key, tty] : served.channels)
        tty.clear();
    for (const TtyNode& node : seen.nodes) {
        auto& known = served.interfaces;
        if (std::ranges::count(known, node.interface) == 0)
            known.push_back(node.interface);
        const auto key = known.front() == node.interface ? place : place + ":" + node.interface;
        if (served.channels.contains(key) || served.channels.size() < max_channels)
            served.channels[key] = node.device;
    }
}

std::vector<SerialChannel> SerialPlaces::channels() const {
    std::vector<SerialChannel> out;
    for (const auto& [place, served] : places_)
        for (const auto& [key, tty] : served.channels) {
            const auto busid = served.device.place.busid();
            out.push_back({key, busid + key.substr(place.size()), busid, place, tty, key == place});
        }
    return out;
}

} // namespace longcord
