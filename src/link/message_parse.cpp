// SPDX-License-Identifier: MIT
#include "link/device_codec.hpp"
#include "link/link_fields.hpp"
#include "link/message.hpp"

#include <set>

#include <nlohmann/json.hpp>

namespace longcord {

using nlohmann::json;

namespace {

constexpr unsigned max_version = 0xffff;
constexpr unsigned max_port = 0xffff;
constexpr unsigned max_vmid = ~0U;             // machines of host.yaml are above Proxmox' VMs
constexpr unsigned max_dead_after_ms = 60'000; // host.yaml, dead_after
constexpr std::size_t max_word = 64;
constexpr std::uint64_t any = ~std::uint64_t{0};

PiMessage hello_from(LinkFields& fields) {
    return Hello{
        fields.small_number("version", 0, max_version), fields.text("software", ""),
        fields.small_number("usbip_port", 1, max_port, default_usbip_port)};
}

PiMessage devices_from(LinkFields& fields, const std::string& pi) {
    Devices message;
    const json* list = fields.list("devices", max_link_devices);
    std::set<Place> seen;
    for (std::size_t i = 0; list && fields.refusal().none() && i < list->size(); ++i) {
        LinkFields each(fields.refusal(), (*list)[i], fmt::format("devices[{}]", i));
        message.devices.push_back(device_from_fields(each, pi));
        if (!seen.insert(message.devices.back().place).second)
            each.refuse(
                "busid",
                fmt::format("{} is in the list twice", message.devices.back().place.busid()));
    }
    return message;
}

PiMessage added_from(LinkFields& fields, const json& value, const std::string& pi) {
    if (!fields.has("device")) {
        fields.refuse("device", "is missing");
        return Added{};
    }
    LinkFields device(fields.refusal(), *value.find("device"), "device");
    return Added{device_from_fields(device, pi)};
}

PiMessage busy_from(LinkFields& fields) {
    Busy busy;
    busy.n = fields.number("n", 0, any);
    busy.node = fields.text("node");
    if (fields.has("vmid"))
        busy.vmid = fields.small_number("vmid", 1, max_vmid);
    return busy;
}

NodeAddress node_from(LinkFields& fields) {
    NodeAddress node;
    node.name = fields.text("name");
    node.address = fields.text("address");
    node.port = fields.small_number("port", 1, max_port);
    const json* keys = fields.list("host_keys", max_host_keys);
    for (std::size_t i = 0; keys && i < keys->size(); ++i) {
        const auto* key = (*keys)[i].get_ptr<const json::string_t*>();
        if (key && key->size() <= max_host_key)
            node.host_keys.push_back(printable(*key, max_host_key));
        else
            fields.refuse(fmt::format("host_keys[{}]", i), "is no host key");
    }
    return node;
}

HostMessage welcome_from(LinkFields& fields) {
    Welcome welcome;
    welcome.version = fields.small_number("version", 0, max_version);
    welcome.node = fields.text("node");
    welcome.software = fields.text("software", "");
    welcome.pi = fields.text("pi", "");
    welcome.dead_after = milliseconds(fields.small_number(
        "dead_after_ms", 1, max_dead_after_ms, static_cast<unsigned>(welcome.dead_after.count())));
    const json* nodes = fields.has("nodes") ? fields.list("nodes", max_link_nodes) : nullptr;
    for (std::size_t i = 0; nodes && fields.refusal().none() && i < nodes->size(); ++i) {
        LinkFields each(fields.refusal(), (*nodes)[i], fmt::format("nodes[{}]", i));
        welcome.nodes.push_back(node_from(each));
    }
    return welcome;
}

/// The field's text never stands in a refusal: it may be nearly a key.
template <std::size_t Size>
void secret_from(LinkFields& fields, std::string_view key, SecretBytes<Size>& secret) {
    if (!from_hex(fields.exact_text(key, 2 * Size), secret.data(), secret.size))
        fields.refuse(key, fmt::format("is not {} bytes in hexadecimal", Size));
}

void seal_key_from(LinkFields& seal, const json& value, std::string_view name, SealKey& key) {
    if (!seal.has(name))
        return seal.refuse(name, "is missing");
    LinkFields fields(seal.refusal(), *value.find(name), seal.path(name));
    secret_from(fields, "key", key.key);
    secret_from(fields, "iv", key.iv);
}

void stream_secret_from(LinkFields& fields, const json& value, StreamSecret& secret) {
    secret_from(fields, "ticket", secret.ticket);
    if (!fields.has("seal"))
        return fields.refuse("seal", "is missing");
    const json& keys = *value.find("seal");
    LinkFields seal(fields.refusal(), keys, "seal");
    seal_key_from(seal, keys, "from_node", secret.from_node);
    seal_key_from(seal, keys, "from_pi", secret.from_pi);
}

HostMessage open_serial_from(LinkFields& fields, const json& value) {
    OpenSerial open;
    open.n = fields.number("n", 0, any);
    open.port = fields.exact_text("serial", max_serial_port);
    open.client = printable(fields.exact_text("client", max_serial_client), max_serial_client);
    for (const auto& [key, text] :
         {std::pair("serial", &open.port), std::pair("client", &open.client)})
        if (text->empty())
            fields.refuse(key, "is empty");
    stream_secret_from(fields, value, open.secret);
    return open;
}

HostMessage open_from(LinkFields& fields, const json& value) {
    if (fields.has("serial"))
        return open_serial_from(fields, value);
    Open open;
    open.n = fields.number("n", 0, any);
    open.busid = busid_from_fields(fields, {}).busid();
    open.vmid = fields.small_number("vmid", 1, max_vmid);
    stream_secret_from(fields, value, open.secret);
    return open;
}

HostMessage state_from(LinkFields& fields) {
    State state;
    state.busid = busid_from_fields(fields, {}).busid();
    state.node = fields.text("node");
    if (fields.has("vmid"))
        state.vmid = fields.small_number("vmid", 1, max_vmid);
    state.vm = fields.text("vm", "");
    state.state = fields.text("state", {}, max_word);
    state.why = fields.text("why", "", max_link_error);
    return state;
}

void refuse_type(LinkFields& fields, const std::string& type) {
    fields.refuse(
        "type", fmt::format(
                    "\"{}\" is not known in version {} of the link's language",
                    printable(type, max_word), link_version));
}

} // namespace

bool speaks_link_version(unsigned version) noexcept {
    return version == link_version;
}

Result<PiMessage> parse_pi_message(std::string_view line, const std::string& pi) {
    LinkRefusal refusal("Pi " + pi);
    const auto value = parse_link_line(line, refusal);
    if (!value)
        return value.error();
    LinkFields fields(refusal, *value);
    const std::string type = fields.exact_text("type", max_word);
    PiMessage message;
    if (type == "hello")
        message = hello_from(fields);
    else if (type == "devices")
        message = devices_from(fields, pi);
    else if (type == "added")
        message = added_from(fields, *value, pi);
    else if (type == "removed")
        message = Removed{busid_from_fields(fields, pi).busid()};
    else if (type == "pong")
        message = Pong{fields.number("n", 0, any)};
    else if (type == "opened")
        message = Opened{fields.number("n", 0, any)};
    else if (type == "refused")
        message = OpenRefused{fields.number("n", 0, any), fields.text("why", "", max_link_error)};
    else if (type == "busy")
        message = busy_from(fields);
    else if (type == "available")
        message = Available{busid_from_fields(fields, pi).busid()};
    else if (type == "leave")
        message = Leave{};
    else
        refuse_type(fields, type);
    if (!refusal.none())
        return refusal.error();
    return message;
}

Result<HostMessage> parse_host_message(std::string_view line) {
    LinkRefusal refusal("the node");
    const auto value = parse_link_line(line, refusal);
    if (!value)
        return value.error();
    LinkFields fields(refusal, *value);
    const std::string type = fields.exact_text("type", max_word);
    HostMessage message;
    if (type == "welcome")
        message = welcome_from(fields);
    else if (type == "open")
        message = open_from(fields, *value);
    else if (type == "close")
        message = Close{busid_from_fields(fields, {}).busid()};
    else if (type == "ping")
        message = Ping{fields.number("n", 0, any)};
    else if (type == "state")
        message = state_from(fields);
    else if (type == "done")
        message = Done{fields.flag("ok", false), fields.text("message", {}, max_link_error)};
    else if (type == "error")
        message =
            LinkError{fields.text("message", {}, max_link_error), fields.flag("final", false)};
    else
        refuse_type(fields, type);
    if (!refusal.none())
        return refusal.error();
    return message;
}

} // namespace longcord
