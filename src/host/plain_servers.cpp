// SPDX-License-Identifier: MIT
#include "host/plain_servers.hpp"

#include "base/spawn.hpp"
#include "plan/changes.hpp"

namespace longcord {

Result<Device> device_of(const WireDevice& wire, const std::string& server) {
    auto place = Place::parse(wire.busid);
    if (!place || !place->is_local())
        return fail(
            ErrorKind::not_found, "its device {} ({}) is left alone: that is no USB place",
            wire.busid, wire.id.to_string());
    place->pi = server;
    Device device;
    device.place = *place;
    device.id = wire.id;
    device.bcd_device = wire.bcd_device;
    device.device_class = wire.device_class;
    device.interfaces = wire.interfaces;
    device.configurations = wire.configurations;
    device.speed = wire.speed;
    device.devnum = wire.devnum;
    return device;
}

void PlainServers::configure(const std::map<std::string, Address>& servers) {
    std::erase_if(servers_, [&](const auto& known) {
        const auto still = servers.find(known.first);
        if (still != servers.end() && still->second == known.second)
            return false;
        pi_unlinked(reconciler_.world(), known.first, false);
        return true;
    });
    for (const auto& [name, address] : servers) {
        if (!servers_.emplace(name, address).second)
            continue;
        Pi& pi = reconciler_.world().pis[name];
        pi.plain = true;
        pi.address = address.host;
        spawn_guarded(loop_, "USB/IP server " + name, ask_first(name, address));
    }
    reconciler_.wake();
}

Task<> PlainServers::ask_first(std::string name, Address server) {
    const auto asked = co_await ask(name, server);
    if (!asked)
        journal_.pi(name, "unlinked", asked.error().message);
}

Task<std::vector<PlainServers::Answer>> PlainServers::rescan() {
    std::vector<Answer> answers;
    auto servers = servers_; // a reload may change them meanwhile
    for (const auto& [pi, pushed] : pushes_)
        servers.emplace(pi, pushed.server);
    for (const auto& [name, address] : servers) {
        const auto asked = co_await ask(name, address);
        answers.push_back({name, asked});
    }
    co_return answers;
}

Task<Result<std::size_t>> PlainServers::ask(std::string name, Address server) {
    const auto address = co_await dialer_.resolve(server.host);
    if (!address)
        co_return address.error();
    const asio::ip::tcp::endpoint endpoint(*address, server.port);
    const auto devices = co_await request_device_list(endpoint, answer_limit);
    if (!is_ours(name)) // unpaired, or taken out of host.yaml, while it was asked
        co_return fail(ErrorKind::not_found, "{} is not asked any more", name);
    if (!devices) {
        // What it serves already, it goes on serving; nothing new is asked of it.
        pi_unlinked(reconciler_.world(), name, false);
        reconciler_.wake();
        co_return devices.error();
    }
    listed(name, server, address->to_string(), *devices);
    co_return devices->size();
}

void PlainServers::listed(
    const std::string& name, const Address& server, const std::string& address,
    const std::vector<WireDevice>& devices) {
    World& world = reconciler_.world();
    std::map<Place, Device> present;
    // usbipd leaves out what is in use: what we have from there is still there.
    for (const auto& [port, import] : world.imports)
        if (import.place.pi == name)
            if (const Device* device = world.announced_at(import.place))
                present[import.place] = *device;
    const auto pushed = pushes_.find(name);
    for (const auto& wire : devices) {
        const auto device = device_of(wire, name);
        if (device && pushed != pushes_.end() && !pushed->second.places.contains(device->place))
            continue; // exported over there, but not to us
        if (device)
            present[device->place] = *device;
        else
            journal_.pi(name, "refused", device.error().message);
    }
    if (const Pi& known = world.pis[name]; !known.linked || known.address != address)
        pi_linked(world, name, address, Clock::now());
    Pi& pi = world.pis[name];
    pi.plain = true;
    pi.usbip_port = server.port;
    std::vector<Device> list;
    list.reserve(present.size());
    for (auto& [place, device] : present)
        list.push_back(std::move(device));
    pi_listed(world, name, list, Clock::now());
    journal_.pi(name, "devices", fmt::format("lists {} devices", devices.size()));
    reconciler_.wake();
}

Task<Result<>> PlainServers::pushed(Place place, Address server) {
    Pushed& known = pushes_[place.pi];
    known.server = server;
    known.places.insert(place);
    const auto asked = co_await ask(place.pi, server);
    const bool there = asked && reconciler_.world().announced_at(place);
    if (there)
        co_return Result<>();
    withdrawn(place);
    if (!asked)
        co_return asked.error();
    co_return fail(
        ErrorKind::not_found,
        "the usbipd at {} does not list {}: is it bound there? "
        "(usbip bind -b {})",
        server.to_string(), place.busid(), place.busid());
}

bool PlainServers::withdrawn(const Place& place) {
    const auto pi = pushes_.find(place.pi);
    if (pi == pushes_.end() || pi->second.places.erase(place) == 0)
        return false;
    pi_removed(reconciler_.world(), place);
    if (pi->second.places.empty())
        pushes_.erase(pi);
    reconciler_.wake();
    return true;
}

void PlainServers::withdraw_all(const std::string& pi) {
    const auto known = pushes_.find(pi);
    if (known == pushes_.end())
        return;
    const auto places = known->second.places;
    for (const auto& place : places)
        withdrawn(place);
}

void PlainServers::stream_ended(const Place& place) {
    const auto pi = reconciler_.world().pis.find(place.pi);
    if (pi == reconciler_.world().pis.end() || !pi->second.plain)
        return;
    pi_removed(reconciler_.world(), place); // until it is listed again
    reconciler_.wake();
    spawn_guarded(loop_, "looking for " + place.to_string(), look_for(place));
}

Task<> PlainServers::look_for(Place place) {
    milliseconds pause = first_pause;
    for (unsigned look = 0; look < most_looks; ++look, pause *= 2) {
        co_await sleep_for(pause);
        const auto pi = reconciler_.world().pis.find(place.pi);
        if (pi == reconciler_.world().pis.end() || reconciler_.world().announced_at(place) ||
            !is_ours(place.pi))
            co_return;
        const Address server{pi->second.address, static_cast<std::uint16_t>(pi->second.usbip_port)};
        co_await ask(place.pi, server);
    }
}

} // namespace longcord
