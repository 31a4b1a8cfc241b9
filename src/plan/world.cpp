// SPDX-License-Identifier: MIT
#include "plan/world.hpp"

namespace longcord {

const std::pair<const unsigned, Import>* World::import_of(const Place& place) const noexcept {
    for (const auto& entry : imports)
        if (entry.second.place == place)
            return &entry;
    return nullptr;
}

const Device* World::announced_at(const Place& place) const noexcept {
    const auto pi = pis.find(place.pi);
    if (pi == pis.end())
        return nullptr;
    const auto device = pi->second.devices.find(place);
    return device == pi->second.devices.end() ? nullptr : &device->second;
}

std::string World::node_of(const Device& device) const {
    return fmt::format("{}/bus/usb/{:03}/{:03}", dev, device.place.bus, device.devnum);
}

std::uint32_t devid_of(const Device& device) noexcept {
    return device.place.bus << 16 | device.devnum;
}

} // namespace longcord
