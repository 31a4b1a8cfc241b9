// SPDX-License-Identifier: MIT
#include "pi/links.hpp"

#include "base/spawn.hpp"
#include "base/text.hpp"
#include "pi/own_key.hpp"

#include <algorithm>

namespace longcord {

Links::Links(asio::io_context& loop, Roots roots, PiJournal& journal, Handler handler)
    : loop_(loop), roots_(std::move(roots)), journal_(journal), handler_(std::move(handler)) {}

/// Wakes whoever waits for a link to come or go.
void Links::changed() {
    for (asio::steady_timer* timer : waiting_)
        timer->cancel();
}

Task<> Links::next_change(TimePoint until) {
    asio::steady_timer timer(loop_, until);
    const auto mine = waiting_.insert(waiting_.end(), &timer);
    co_await timer.async_wait(as_value);
    waiting_.erase(mine);
}

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
    changed();
    handler_.nodes();
}

LinkTarget Links::target_of(const Address& address, bool joined) const {
    LinkTarget target;
    target.host = address.host;
    target.port = address.port;
    target.identity = below_root(config_.identity);
    target.known_hosts = joined ? joined_known_hosts(roots_) : below_root(config_.known_hosts);
    return target;
}

void Links::add(const Wanted& wanted) {
    const Address& address = wanted.address;
    LinkTarget target = target_of(address, wanted.joined);
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
        changed();
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
        keep(link, *state);
    else if (const auto* open = std::get_if<Open>(&message))
        handler_.open(link.address.to_string(), link.node, *open);
    else if (const auto* serial = std::get_if<OpenSerial>(&message))
        handler_.open_serial(link.address.to_string(), link.node, *serial);
    else if (const auto* close = std::get_if<Close>(&message))
        handler_.close(link.address.to_string(), close->busid);
    else if (const auto* error = std::get_if<LinkError>(&message))
        complain(link, fmt::format("{} says: {}", link.address.to_string(), error->message));
}

static std::string in_words(const State& state) {
    const auto vm = state.vmid ? fmt::format(
                                     " VM {}{}{}{}", *state.vmid, state.vm.empty() ? "" : " (",
                                     state.vm, state.vm.empty() ? "" : ")")
                               : std::string();
    return fmt::format(
        "{}: {}{}{}{}", state.node, state.state, vm, state.why.empty() ? "" : ": ", state.why);
}

void Links::keep(Link& link, const State& state) {
    const auto before = link.states.find(state.busid);
    if (before != link.states.end() && before->second == state)
        return;
    link.states[state.busid] = state;
    Event event;
    event.kind = "state";
    event.place = state.busid;
    event.vmid = state.vmid;
    event.message = in_words(state);
    journal_.write(std::move(event));
}

void Links::welcome(Link& link, const Welcome& welcome) {
    link.node = welcome.node;
    link.software = welcome.software;
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
    changed();
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
    if (link && Clock::now() - link->client->heard_at() < silent_after)
        return std::nullopt;
    return dead_after(address);
}

milliseconds Links::dead_after(const std::string& address) const {
    const Link* link = find(address);
    return link ? link->dead_after : Welcome{}.dead_after;
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
        status.software = link->software;
        all.push_back(std::move(status));
    }
    return all;
}

Result<Links::Way> Links::way_to(const std::string& node) const {
    for (const auto& link : links_)
        if (!node.empty() &&
            (link->address.to_string() == node || link->address.host == node || link->node == node))
            return Way{
                link->address.to_string(), link->node, target_of(link->address, link->joined)};
    return fail(
        ErrorKind::not_found, "\"{}\" is no node of this machine: `longcord status` lists them",
        printable(node));
}

Task<Result<std::string>> Links::service_of(std::string address, milliseconds at_most) {
    const TimePoint end = Clock::now() + at_most;
    if (const Link* waits = find(address))
        waits->client->retry_now();
    for (;;) {
        const Link* link = find(address);
        if (!link)
            co_return fail(ErrorKind::not_found, "{} is no node of this machine any more", address);
        if (link->client->linked())
            co_return fmt::format(
                "longcord-host on {} speaks", link->node.empty() ? address : link->node);
        if (Clock::now() >= end)
            co_return fail(ErrorKind::unavailable, "{}", link->client->last_problem());
        co_await next_change(end);
    }
}

std::vector<std::string> Links::addresses() const {
    std::vector<std::string> all;
    for (const auto& link : links_)
        for (const auto& address : {link->address.host, link->peer})
            if (Network::parse(address) && std::ranges::count(all, address) == 0)
                all.push_back(address);
    return all;
}

bool Links::leads_to(const std::string& address) const {
    return std::ranges::count(addresses(), address) > 0;
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
