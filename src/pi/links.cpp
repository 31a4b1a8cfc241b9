// SPDX-License-Identifier: MIT
#include "pi/links.hpp"

#include "base/spawn.hpp"
#include "pi/own_key.hpp"

#include <algorithm>

namespace longcord {

Links::Links(asio::io_context& loop, Roots roots, PiJournal& journal, Handler handler)
    : loop_(loop), roots_(std::move(roots)), journal_(journal), handler_(std::move(handler)),
      changed_(loop) {}

void Links::configure(const PiConfig& config) {
    const bool anew = config.identity != config_.identity ||
                      config.known_hosts != config_.known_hosts ||
                      config.usbip_port != config_.usbip_port;
    config_ = config;
    link_as_wanted(anew);
}

void Links::link_as_wanted(bool anew) {
    const auto nodes = wanted();
    const auto is_same = [](const Wanted& node, const std::unique_ptr<Link>& link) {
        return link->address == node.address && link->joined == node.joined;
    };
    std::vector<std::string> gone;
    std::erase_if(links_, [&](const std::unique_ptr<Link>& link) {
        const auto is_it = [&](const Wanted& node) { return is_same(node, link); };
        const bool goes = anew || std::ranges::none_of(nodes, is_it);
        if (goes)
            gone.push_back(link->address.to_string());
        return goes;
    });
    for (const auto& link : gone)
        handler_.down(link);
    for (const auto& node : nodes)
        if (std::ranges::none_of(
                links_, [&](const std::unique_ptr<Link>& link) { return is_same(node, link); }))
            add(node);
    changed_.cancel();
    handler_.nodes();
}

void Links::add(const Wanted& wanted) {
    const Address& address = wanted.address;
    LinkTarget target;
    target.host = address.host;
    target.port = address.port;
    target.identity = below_root(config_.identity);
    target.known_hosts =
        wanted.joined ? joined_known_hosts(roots_) : below_root(config_.known_hosts);
    auto owned = std::make_unique<Link>();
    Link* link = owned.get(); // it outlives its client, which calls these
    link->address = address;
    link->joined = wanted.joined;
    link->node = wanted.node;
    LinkClient::Handler handler;
    handler.up = [this, link] {
        link->complaint.clear();
        link->peer = link->client->peer();
        handler_.nodes();
        journal_.link("linked", "linked with " + link->address.to_string());
        changed_.cancel();
    };
    handler.message = [this, link](const HostMessage& message) { take(*link, message); };
    handler.down = [this, link](const Error& why) { down(*link, why); };
    link->client = std::make_unique<LinkClient>(loop_, std::move(target), std::move(handler));
    spawn_guarded(loop_, "link with " + address.to_string(), link->client->run());
    links_.push_back(std::move(owned));
}

void Links::take(Link& link, const HostMessage& message) {
    if (const auto* hello = std::get_if<Welcome>(&message))
        welcome(link, *hello);
    else if (const auto* state = std::get_if<State>(&message))
        link.states[state->busid] = *state;
    else if (const auto* open = std::get_if<Open>(&message))
        handler_.open(link.address.to_string(), link.node, *open);
    else if (const auto* close = std::get_if<Close>(&message))
        handler_.close(link.address.to_string(), close->busid);
    else if (const auto* error = std::get_if<LinkError>(&message))
        complain(link, fmt::format("{} says: {}", link.address.to_string(), error->message));
}

void Links::welcome(Link& link, const Welcome& welcome) {
    link.node = welcome.node;
    link.dead_after = welcome.dead_after;
    link.states.clear();
    handler_.down(link.address.to_string());
    auto devices = handler_.exported();
    link.waits = !devices;
    if (devices)
        introduce(link, std::move(*devices));
    if (link.joined && learned_)
        learned_(welcome.node, welcome.nodes);
    if (!speaks_link_version(welcome.version))
        complain(
            link, fmt::format(
                      "{} speaks version {} of the link, this machine {}: update the older one",
                      link.address.to_string(), welcome.version, link_version));
}

void Links::introduce(Link& link, std::vector<Device> devices) {
    link.waits = false;
    Hello hello;
    hello.software = "longcord-pi " LONGCORD_VERSION;
    hello.usbip_port = config_.usbip_port;
    link.client->send(std::move(hello));
    link.client->send(Devices{std::move(devices)});
}

void Links::tell_devices() {
    auto devices = handler_.exported();
    for (const auto& link : links_)
        if (link->waits && devices)
            introduce(*link, *devices);
}

void Links::down(Link& link, const Error& why) {
    link.states.clear();
    link.waits = false;
    handler_.down(link.address.to_string());
    complain(link, why.message);
    changed_.cancel();
}

const Links::Link* Links::find(const std::string& address) const {
    for (const auto& link : links_)
        if (link->address.to_string() == address)
            return link.get();
    return nullptr;
}

void Links::tell(const std::string& address, PiMessage message) {
    if (const Link* link = find(address))
        link->client->send(std::move(message));
}

std::optional<milliseconds> Links::silent(const std::string& address) const {
    const Link* link = find(address);
    if (!link)
        return Welcome{}.dead_after;
    if (Clock::now() - link->client->heard_at() < silent_after)
        return std::nullopt;
    return link->dead_after;
}

void Links::complain(Link& link, const std::string& why) {
    if (link.complaint == why)
        return;
    link.complaint = why;
    journal_.link("link-problem", why, true);
}

void Links::send_all(const PiMessage& message) {
    for (const auto& link : links_)
        if (!link->waits)
            link->client->send(message);
}

void Links::added(const Device& device) {
    send_all(Added{device});
}

void Links::removed(const std::string& busid) {
    for (const auto& link : links_)
        link->states.erase(busid);
    send_all(Removed{busid});
}

std::vector<LinkStatus> Links::status() const {
    std::vector<LinkStatus> all;
    for (const auto& link : links_) {
        LinkStatus status{
            link->node,
            link->address.to_string(),
            link->client->linked(),
            link->client->last_problem(),
            link->joined,
            {},
            link->client->round_trip()};
        if (const auto since = link->client->linked_since())
            status.since = std::chrono::duration_cast<seconds>(Clock::now() - *since);
        all.push_back(std::move(status));
    }
    return all;
}

std::vector<std::string> Links::addresses() const {
    std::vector<std::string> all;
    for (const auto& link : links_)
        for (const auto& address : {link->address.host, link->peer})
            if (Network::parse(address) && std::ranges::count(all, address) == 0)
                all.push_back(address);
    return all;
}

const State* Links::state_of(const std::string& busid) const {
    const State* found = nullptr;
    for (const auto& link : links_) {
        const auto state = link->states.find(busid);
        if (state != link->states.end() && (!found || state->second.vmid))
            found = &state->second;
    }
    return found;
}

} // namespace longcord
