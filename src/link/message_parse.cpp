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
constexpr unsigned max_vmid = 999'999'999; // Proxmox VE, pve-vmid
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

HostMessage state_from(LinkFields& fields) {
    State state;
    state.busid = busid_from_fields(fields, {}).busid();
    state.node = fields.text("node");
    if (fields.has("vmid"))
        state.vmid = fields.small_number("vmid", 1, max_vmid);
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
        message = Welcome{
            fields.small_number("version", 0, max_version), fields.text("node"),
            fields.text("software", "")};
    else if (type == "ping")
        message = Ping{fields.number("n", 0, any)};
    else if (type == "state")
        message = state_from(fields);
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
