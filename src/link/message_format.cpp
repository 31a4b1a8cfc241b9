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

json to_json(const Opened& m) {
    return {{"type", "opened"}, {"n", m.n}};
}
json to_json(const OpenRefused& m) {
    return {{"type", "refused"}, {"n", m.n}, {"why", printable(m.why, max_link_error)}};
}

json to_json(const Busy& m) {
    json value = {{"type", "busy"}, {"n", m.n}, {"node", m.node}, {"vmid", nullptr}};
    if (m.vmid)
        value["vmid"] = *m.vmid;
    return value;
}

json to_json(const Available& m) {
    return {{"type", "available"}, {"busid", m.busid}};
}
json to_json(const Leave&) {
    return {{"type", "leave"}};
}

json to_json(const NodeAddress& node) {
    return {
        {"name", node.name},
        {"address", node.address},
        {"port", node.port},
        {"host_keys", node.host_keys}};
}

json to_json(const Welcome& m) {
    json nodes = json::array();
    for (const auto& node : m.nodes)
        nodes.push_back(to_json(node));
    return {
        {"type", "welcome"},        {"version", m.version}, {"node", m.node},
        {"software", m.software},   {"pi", m.pi},           {"dead_after_ms", m.dead_after.count()},
        {"nodes", std::move(nodes)}};
}

template <std::size_t Size> std::string hex(const SecretBytes<Size>& bytes) {
    return to_hex(bytes.data(), bytes.size);
}

json to_json(const SealKey& key) {
    return {{"key", hex(key.key)}, {"iv", hex(key.iv)}};
}

json seal_to_json(const StreamSecret& secret) {
    return {{"from_node", to_json(secret.from_node)}, {"from_pi", to_json(secret.from_pi)}};
}

json to_json(const Open& m) {
    return {
        {"type", "open"},
        {"n", m.n},
        {"busid", m.busid},
        {"vmid", m.vmid},
        {"ticket", hex(m.secret.ticket)},
        {"seal", seal_to_json(m.secret)}};
}

json to_json(const OpenSerial& m) {
    return {
        {"type", "open"},
        {"n", m.n},
        {"serial", m.port},
        {"client", m.client},
        {"ticket", hex(m.secret.ticket)},
        {"seal", seal_to_json(m.secret)}};
}

json to_json(const Close& m) {
    return {{"type", "close"}, {"busid", m.busid}};
}

json to_json(const State& m) {
    json value = {{"type", "state"}, {"busid", m.busid}, {"node", m.node}, {"vmid", nullptr},
                  {"vm", m.vm},      {"state", m.state}, {"why", m.why}};
    if (m.vmid)
        value["vmid"] = *m.vmid;
    return value;
}

json to_json(const Done& m) {
    return {{"type", "done"}, {"ok", m.ok}, {"message", printable(m.message, max_link_error)}};
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
