// SPDX-License-Identifier: MIT
#include "plan/situation.hpp"

#include "qmp/plug_id.hpp"

#include <algorithm>

namespace longcord {

const Device* Situation::device() const noexcept {
    if (local)
        return &local->device;
    if (announced)
        return announced;
    return import && import->local ? &import->local->device : nullptr;
}

Subject Situation::subject(const Device& device) const noexcept {
    if (!local)
        return Subject{device, {}, nullptr, {}};
    return Subject{
        device, local->devpath, local->peer ? &*local->peer : nullptr, local->peer_devpath};
}

const LocalDevice* Situation::openable() const noexcept {
    if (local)
        return local;
    return import && import->local ? &*import->local : nullptr;
}

bool Situation::import_outlived() const noexcept {
    return import && pi && (pi->unpaired || (pi->linked && pi->announced)) &&
           (!announced || devid_of(*announced) != import->devid);
}

const BusyElsewhere* Situation::busy_elsewhere(const Place& place) const noexcept {
    if (!pi)
        return nullptr;
    const auto found = pi->busy.find(place);
    return found == pi->busy.end() ? nullptr : &found->second;
}

bool Situation::relayed_to_silence() const noexcept {
    return import && import->engine == SealEngine::user && pi && !pi->linked && pi->silent;
}

bool Situation::plugged_into(unsigned vmid) const noexcept {
    return std::any_of(
        plugs.begin(), plugs.end(), [&](const SeenPlug& plug) { return plug.vmid == vmid; });
}

bool Situation::disconnected() const noexcept {
    return import && import->enumerated && !import->local;
}

bool Situation::being_removed() const noexcept {
    return import && import->enumerated && port_freed;
}

bool Situation::stream_in_doubt() const noexcept {
    // No link tells how a plain server is.
    return import && !disconnected() &&
           (!pi || pi->plain || !pi->linked || !pi->announced || import_outlived());
}

std::map<Place, Situation> situations(const World& world) {
    std::map<Place, Situation> all;
    for (const auto& [place, device] : world.local)
        all[place].local = &device;
    for (const auto& [name, pi] : world.pis)
        for (const auto& [place, device] : pi.devices)
            all[place].announced = &device;
    for (const auto& [port, import] : world.imports) {
        auto& situation = all[import.place];
        situation.import = &import;
        situation.vhci_port = port;
    }
    for (const VhciPort& row : world.vhci)
        if (row.state == VhciPort::State::free)
            if (const auto import = world.imports.find(row.port); import != world.imports.end())
                if (Situation& there = all[import->second.place]; there.vhci_port == row.port)
                    there.port_freed = true;
    for (const auto& [vmid, vm] : world.vms) {
        if (!vm.view)
            continue;
        for (const auto& device : vm.view->devices)
            if (const auto place = place_of_plug_id(device.id))
                all[*place].plugs.push_back({vmid, &device});
    }
    for (auto& [place, situation] : all) {
        if (const auto pi = world.pis.find(place.pi); pi != world.pis.end())
            situation.pi = &pi->second;
        if (const auto action = world.in_flight.find(place); action != world.in_flight.end())
            situation.in_flight = &action->second;
        if (const auto past = world.history.find(place); past != world.history.end())
            situation.history = &past->second;
    }
    return all;
}

} // namespace longcord
