// SPDX-License-Identifier: MIT
#include "host/link_source.hpp"

#include "base/spawn.hpp"
#include "plan/changes.hpp"

namespace longcord {

LinkSource::LinkSource(
    asio::io_context& loop, const Roots& roots, const HostConfig& config, std::string node,
    Reconciler& reconciler, Journal& journal, OpenRequests& opens)
    : loop_(loop), config_(config), node_(std::move(node)), reconciler_(reconciler),
      journal_(journal), opens_(opens),
      server_(
          loop, roots, node_, handler(),
          [&config](const std::string& pi) { return config.dead_after_of(pi); }),
      teller_(loop, [this](const Place& place, const Outcome& outcome) { tell(place, outcome); }) {
    opens_.send_with(
        [this](const std::string& pi, HostMessage said) { server_.send(pi, std::move(said)); });
}

void LinkSource::configure(std::string node) {
    node_ = std::move(node);
    server_.set(node_);
    for (const auto& [pi, said] : said_)
        set_address(pi);
}

LinkServer::Handler LinkSource::handler() {
    LinkServer::Handler handler;
    handler.up = [this](const LinkUp& link) {
        said_[link.pi] = {link.address, default_usbip_port};
        pi_linked(reconciler_.world(), link.pi, link.address, Clock::now());
        set_address(link.pi);
        journal_.pi(
            link.pi, "linked", "linked from " + reconciler_.world().pis.at(link.pi).address);
        reconciler_.wake();
    };
    handler.message = [this](const std::string& pi, PiMessage received) {
        message(pi, std::move(received));
    };
    handler.refused = [this](const std::string& pi, const Error& why) {
        journal_.pi(pi, "refused", why.message);
    };
    handler.down = [this](const std::string& pi, const Error& why) {
        pi_unlinked(reconciler_.world(), pi, why.kind == ErrorKind::timeout);
        opens_.lost(pi);
        on_link_down_(pi);
        journal_.pi(pi, "unlinked", why.message);
        reconciler_.wake();
    };
    handler.pair = [this](Preface preface, std::string line) {
        return on_pairing_(std::move(preface), std::move(line));
    };
    handler.push = [this](Preface preface) { return on_push_(std::move(preface)); };
    return handler;
}

void LinkSource::expel(const std::string& pi, const std::string& why) {
    server_.expel(pi, why);
    said_.erase(pi);
    software_.erase(pi);
    on_expelled_(pi);
    pi_unpaired(reconciler_.world(), pi);
    reconciler_.wake();
}

std::optional<LinkSource::LinkFacts> LinkSource::link_of(const std::string& pi) const {
    const auto found = reconciler_.world().pis.find(pi);
    if (found == reconciler_.world().pis.end() || !found->second.linked)
        return std::nullopt;
    return LinkFacts{found->second.address, found->second.linked_since};
}

/// Where host.yaml says that this Pi's devices are fetched, if it says so.
std::optional<Address> LinkSource::address_set_for(
    const std::string& pi, std::uint16_t default_port) const {
    const auto settings = config_.pis.find(pi);
    if (settings == config_.pis.end() || !settings->second.address)
        return std::nullopt;
    const auto address = Address::parse(*settings->second.address, default_port);
    return address ? std::optional(*address) : std::nullopt; // the config was checked for it
}

void LinkSource::set_address(const std::string& pi) {
    const Address& said = said_[pi];
    const auto set = address_set_for(pi, said.port);
    Pi& entry = reconciler_.world().pis[pi];
    entry.address = set ? set->host : said.host;
    entry.usbip_port = set ? set->port : said.port;
}

void LinkSource::message(const std::string& pi, PiMessage received) {
    World& world = reconciler_.world();
    if (std::holds_alternative<Leave>(received))
        return spawn_guarded(loop_, "a Pi leaves", on_leave_(pi));
    if (const auto* hello = std::get_if<Hello>(&received)) {
        said_[pi].port = static_cast<std::uint16_t>(hello->usbip_port);
        set_address(pi);
        software_[pi] = hello->software;
    } else if (auto* list = std::get_if<Devices>(&received)) {
        overfull_.erase(pi);
        pi_listed(world, pi, list->devices, Clock::now());
        journal_.pi(pi, "devices", fmt::format("lists {} devices", list->devices.size()));
        for (const auto& device : list->devices)
            if (const auto outcome = reconciler_.outcomes().find(device.place);
                outcome != reconciler_.outcomes().end())
                tell(device.place, outcome->second);
    } else if (auto* added = std::get_if<Added>(&received)) {
        if (!has_room(pi, added->device.place))
            return;
        journal_.device(added->device.place, "added", added->device.label());
        pi_added(world, added->device, Clock::now());
    } else if (const auto* removed = std::get_if<Removed>(&received)) {
        if (auto place = Place::parse(removed->busid)) {
            place->pi = pi;
            overfull_.erase(pi);
            journal_.device(*place, "removed", "the Pi says it is gone");
            pi_removed(world, *place);
        }
    } else {
        answered(pi, received);
    }
    reconciler_.wake();
}

/// What a Pi says to our `open`.
void LinkSource::answered(const std::string& pi, const PiMessage& message) {
    if (const auto* opened = std::get_if<Opened>(&message)) {
        opens_.opened(pi, *opened);
    } else if (const auto* refused = std::get_if<OpenRefused>(&message)) {
        opens_.refused(pi, *refused);
    } else if (const auto* busy = std::get_if<Busy>(&message)) {
        if (const auto place = opens_.busy(pi, *busy))
            pi_busy(reconciler_.world(), *place, busy_text(*busy));
    } else if (const auto* available = std::get_if<Available>(&message)) {
        if (auto place = Place::parse(available->busid)) {
            place->pi = pi;
            pi_available(reconciler_.world(), *place);
        }
    }
}

/// The limit that a list has holds for what is added one by one, too. Said once until a device
/// goes.
bool LinkSource::has_room(const std::string& pi, const Place& place) {
    const auto& devices = reconciler_.world().pis[pi].devices;
    if (devices.size() < max_link_devices || devices.contains(place))
        return true;
    if (overfull_.insert(pi).second) {
        const LinkError why{
            fmt::format(
                "Pi {}: device: {} is refused: it has {} devices already, at most {} are allowed",
                pi, place.busid(), devices.size(), max_link_devices),
            false};
        journal_.pi(pi, "refused", why.message);
        server_.send(pi, why);
    }
    return false;
}

void LinkSource::tell(const Place& place, const Outcome& outcome) {
    const auto pi = reconciler_.world().pis.find(place.pi);
    if (place.is_local() || pi == reconciler_.world().pis.end() || !pi->second.linked)
        return;
    State state;
    state.busid = place.busid();
    state.node = node_;
    state.vmid = outcome.vmid;
    state.state = to_string(outcome.state);
    state.why = outcome.why;
    if (outcome.vmid)
        if (const auto vm = reconciler_.world().vms.find(*outcome.vmid);
            vm != reconciler_.world().vms.end())
            state.vm = vm->second.name;
    server_.send(place.pi, state);
}

} // namespace longcord
