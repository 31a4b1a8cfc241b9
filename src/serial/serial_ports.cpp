// SPDX-License-Identifier: MIT
#include "serial/serial_ports.hpp"

#include <set>

namespace longcord {

SerialPorts::~SerialPorts() {
    for (auto& [key, port] : ports_)
        port.server->stop();
}

void SerialPorts::want(const std::vector<SerialWish>& wishes) {
    std::set<std::string> wanted;
    for (const SerialWish& wish : wishes)
        wanted.insert(wish.key);
    std::erase_if(ports_, [&](auto& entry) {
        if (wanted.contains(entry.first))
            return false;
        entry.second.server->stop();
        return true;
    });
    for (const SerialWish& wish : wishes) {
        const auto at = ports_.find(wish.key);
        const bool as_it_is =
            at != ports_.end() && at->second.options == wish.options && at->second.problem.empty();
        if (!as_it_is)
            start(wish);
        ports_.at(wish.key).server->plugged(wish.device);
    }
}

void SerialPorts::start(const SerialWish& wish) {
    if (const auto at = ports_.find(wish.key); at != ports_.end())
        at->second.server->stop(); // before the new one wants its TCP port
    SerialServer::Handler handler;
    handler.event = [on_event = on_event_, key = wish.key](const SerialEvent& event) {
        on_event(key, event);
    };
    handler.said = [on_bytes = on_bytes_, key = wish.key](std::string_view bytes) {
        on_bytes(key, bytes);
    };
    handler.allowed = [allow = allow_](const asio::ip::address& address) {
        const auto local = allow->local_net ? local_networks() : std::vector<Network>{};
        return allow->allows(address.to_string(), local);
    };
    Port port{wish.options, nullptr, {}};
    SerialPortOptions options = wish.options;
    options.device.clear();
    port.server = std::make_shared<SerialServer>(
        loop_, pool_, roots_, std::move(options), std::move(handler));
    const auto listening = port.server->listen();
    if (listening) {
        port.server->run();
    } else {
        port.problem = listening.error().message;
        port.server->stop(); // some of its addresses may have been free
    }
    ports_.insert_or_assign(wish.key, std::move(port));
}

void SerialPorts::join(const std::string& key, SerialCaller caller) {
    if (const auto at = ports_.find(key); at != ports_.end())
        at->second.server->join(std::move(caller));
}

void SerialPorts::link_down(const std::string& link) {
    for (auto& [key, port] : ports_)
        port.server->link_down(link);
}

std::map<std::string, SerialPorts::Status> SerialPorts::status() const {
    std::map<std::string, Status> out;
    for (const auto& [key, port] : ports_) {
        Status status{port.server->status(), 0, port.problem};
        if (!port.options.listen.empty())
            status.port = port.options.listen.front().port();
        out.emplace(key, std::move(status));
    }
    return out;
}

} // namespace longcord
