// SPDX-License-Identifier: MIT
#include "pi/comings.hpp"

namespace longcord {

std::vector<Comings::Told> Comings::look(const ExportState& state) {
    std::vector<Told> told;
    std::erase_if(known_, [&](const auto& entry) {
        const auto now = state.plugged.find(entry.first);
        if (now != state.plugged.end() && now->second.local.device.devnum == entry.second.devnum)
            return false;
        told.push_back({entry.first, "went", entry.second.label + " was unplugged"});
        return true;
    });
    for (const auto& [busid, plugged] : state.plugged) {
        const Device& device = plugged.local.device;
        const auto [at, fresh] = known_.try_emplace(busid, Known{device.devnum, device.label()});
        if (fresh)
            told.push_back({busid, "came", at->second.label + " was plugged in"});
    }
    return told;
}

} // namespace longcord
