// SPDX-License-Identifier: MIT
#include "pi/links.hpp"

#include "base/spawn.hpp"

#include <algorithm>

namespace longcord {

/// A file that pi.yaml names, below LONGCORD_ROOT where that is set.
static std::filesystem::path below(const Roots& roots, const std::filesystem::path& file) {
    return roots.prefix / file.relative_path();
}

Links::Links(asio::io_context& loop, Roots roots, List exported, PiJournal& journal)
    : loop_(loop), roots_(std::move(roots)), exported_(std::move(exported)), journal_(journal) {}

void Links::configure(const PiConfig& config) {
    const bool anew = config.identity != config_.identity ||
                      config.known_hosts != config_.known_hosts ||
                      config.usbip_port != config_.usbip_port;
    config_ = config;
    std::erase_if(links_, [&](const std::unique_ptr<Link>& link) {
        return anew || std::ranges::count(config.nodes, link->address) == 0;
    });
    for (const auto& node : config.nodes) {
        const auto is_it = [&](const std::unique_ptr<Link>& link) { return link->address == node; };
        if (std::ranges::none_of(links_, is_it))
            add(node);
    }
}

void Links::add(const Address& address) {
    LinkTarget target;
    target.host = address.host;
    target.port = address.port;
    target.identity = below(roots_, config_.identity);
    target.known_hosts = below(roots_, config_.known_hosts);
    auto owned = std::make_unique<Link>();
    Link* link = owned.get(); // it outlives its client, which calls these
    link->address = address;
    LinkClient::Handler handler;
    handler.up = [this, link] {
        link->complaint.clear();
        journal_.link("linked", "linked with " + link->address.to_string());
    };
    handler.message = [this, link](const HostMessage& message) { take(*link, message); };
    handler.down = [this, link](const Error& why) {
        link->states.clear();
        complain(*link, why.message);
    };
    link->client = std::make_unique<LinkClient>(loop_, std::move(target), std::move(handler));
    spawn_guarded(loop_, "link with " + address.to_string(), link->client->run());
    links_.push_back(std::move(owned));
}

void Links::take(Link& link, const HostMessage& message) {
    if (const auto* hello = std::get_if<Welcome>(&message))
        welcome(link, *hello);
    else if (const auto* state = std::get_if<State>(&message))
        link.states[state->busid] = *state;
    else if (const auto* error = std::get_if<LinkError>(&message))
        complain(link, fmt::format("{} says: {}", link.address.to_string(), error->message));
}

void Links::welcome(Link& link, const Welcome& welcome) {
    link.node = welcome.node;
    link.states.clear();
    Hello hello;
    hello.software = "longcord-pi " LONGCORD_VERSION;
    hello.usbip_port = config_.usbip_port;
    link.client->send(std::move(hello));
    link.client->send(Devices{exported_()});
    if (!speaks_link_version(welcome.version))
        complain(
            link, fmt::format(
                      "{} speaks version {} of the link, this machine {}: update the older one",
                      link.address.to_string(), welcome.version, link_version));
}

void Links::complain(Link& link, const std::string& why) {
    if (link.complaint == why)
        return;
    link.complaint = why;
    journal_.link("link-problem", why, true);
}

void Links::send_all(const PiMessage& message) {
    for (const auto& link : links_)
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
    for (const auto& link : links_)
        all.push_back(
            {link->node, link->address.to_string(), link->client->linked(),
             link->client->last_problem()});
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
