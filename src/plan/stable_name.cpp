// SPDX-License-Identifier: MIT
#include "plan/stable_name.hpp"

namespace longcord {

std::string stable_name(const Place& place, std::string_view controller) {
    if (controller.empty())
        return place.to_string();
    return fmt::format(
        "{}{}{}/{}", place.pi, place.pi.empty() ? "" : "/", controller, place.path.to_string());
}

std::optional<std::string> stable_name(const World& world, const Place& place) {
    if (const auto local = world.local.find(place); local != world.local.end())
        return stable_name(place, local->second.device.controller);
    if (const Device* device = world.announced_at(place))
        return stable_name(place, device->controller);
    return std::nullopt;
}

std::optional<std::string> stable_name_by_bus(const World& world, const Place& place) {
    if (auto name = stable_name(world, place))
        return name;
    for (const auto& [other, device] : world.local)
        if (place.is_local() && other.bus == place.bus)
            return stable_name(place, device.device.controller);
    if (const auto pi = world.pis.find(place.pi); pi != world.pis.end())
        for (const auto& [other, device] : pi->second.devices)
            if (other.bus == place.bus)
                return stable_name(place, device.controller);
    return std::nullopt;
}

} // namespace longcord
