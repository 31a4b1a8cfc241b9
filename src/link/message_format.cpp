// SPDX-License-Identifier: MIT
#include "link/device_codec.hpp"
#include "link/message.hpp"

#include <nlohmann/json.hpp>

namespace longcord {

using nlohmann::json;

namespace {

/// Never throws on bytes that are no UTF-8: they become U+FFFD.
std::string line_of(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

json to_json(const Hello& m) {
    return {
        {"type", "hello"},
        {"version", m.version},
        {"software", m.software},
        {"usbip_port", m.usbip_port}};
}

json to_json(const Devices& m, LeftOut left_out = {}) {
    json list = json::array();
    for (const auto& device : m.devices)
        list.push_back(device_to_json(device, left_out));
    return {{"type", "devices"}, {"devices", std::move(list)}};
}

json to_json(const Added& m) {
    return {{"type", "added"}, {"device", device_to_json(m.device)}};
}
json to_json(const Removed& m) {
    return {{"type", "removed"}, {"busid", m.busid}};
}
json to_json(const Pong& m) {
    return {{"type", "pong"}, {"n", m.n}};
}
json to_json(const Ping& m) {
    return {{"type", "ping"}, {"n", m.n}};
}

json to_json(const Welcome& m) {
    return {
        {"type", "welcome"}, {"version", m.version}, {"node", m.node}, {"software", m.software}};
}

json to_json(const State& m) {
    json value = {{"type", "state"}, {"busid", m.busid}, {"node", m.node},
                  {"vmid", nullptr}, {"state", m.state}, {"why", m.why}};
    if (m.vmid)
        value["vmid"] = *m.vmid;
    return value;
}

json to_json(const LinkError& m) {
    json value = {{"type", "error"}, {"message", printable(m.message, max_link_error)}};
    if (m.final)
        value["final"] = true;
    return value;
}

} // namespace

std::string format(const PiMessage& message) {
    std::string line = line_of(std::visit([](const auto& m) { return to_json(m); }, message));
    const auto* devices = std::get_if<Devices>(&message);
    if (devices && line.size() > max_link_line)
        line = line_of(to_json(*devices, {.manufacturer = true}));
    if (devices && line.size() > max_link_line)
        line = line_of(to_json(*devices, {.manufacturer = true, .product = true}));
    return line;
}

std::string format(const HostMessage& message) {
    return line_of(std::visit([](const auto& m) { return to_json(m); }, message));
}

} // namespace longcord
