// SPDX-License-Identifier: MIT
#include "proxmox/vm_intent.hpp"

#include "base/text.hpp"

#include <nlohmann/json.hpp>

namespace longcord {

using nlohmann::json;

namespace {

Error wrong(const char* key) {
    return fail(ErrorKind::invalid, "'{}' is not what it must be", key);
}

Result<std::set<std::string>> names_in(const json& object, const char* key) {
    std::set<std::string> names;
    const auto list = object.find(key);
    if (list == object.end())
        return names;
    if (!list->is_array() || list->size() > VmIntent::most_by_hand)
        return wrong(key);
    for (const auto& name : *list) {
        if (!name.is_string())
            return wrong(key);
        names.insert(printable(name.get<std::string>()));
    }
    return names;
}

Result<std::string> text_or_none(const json& object, const char* key) {
    const auto text = object.find(key);
    if (text == object.end())
        return std::string();
    if (!text->is_string())
        return wrong(key);
    return printable(text->get<std::string>());
}

/// {"bus": "xhci.0", "port": 15}
std::optional<GuestPort> port_in(const json& object) {
    constexpr unsigned highest_port = 255;
    const auto bus = object.find("bus");
    const auto port = object.find("port");
    if (!object.is_object() || bus == object.end() || !bus->is_string() || port == object.end() ||
        !port->is_number_unsigned() || port->get<std::uint64_t>() > highest_port)
        return std::nullopt;
    return GuestPort{printable(bus->get<std::string>()), port->get<unsigned>()};
}

Result<std::map<std::string, GuestPort>> pins_in(const json& object) {
    std::map<std::string, GuestPort> pins;
    const auto all = object.find("pins");
    if (all == object.end())
        return pins;
    if (!all->is_object() || all->size() > VmIntent::most_pins)
        return wrong("pins");
    for (const auto& [place, pin] : all->items()) {
        auto port = port_in(pin);
        if (!port)
            return wrong("pins");
        pins[printable(place)] = std::move(*port);
    }
    return pins;
}

json format_unloadable(const UnloadableRam& ram) {
    json plugged = json::array();
    for (const auto& [port, place] : ram.plugged)
        plugged.push_back({{"bus", port.bus}, {"port", port.port}, {"place", place}});
    return {{"snapshot", ram.snapshot}, {"stamp", ram.stamp}, {"plugged", std::move(plugged)}};
}

std::optional<std::string> text_in(const json& object, const char* key) {
    const auto value = object.find(key);
    if (value == object.end() || !value->is_string())
        return std::nullopt;
    return printable(value->get<std::string>());
}

std::optional<UnloadableRam> unloadable_in(const json& object) {
    if (!object.is_object())
        return std::nullopt;
    const auto snapshot = text_in(object, "snapshot");
    const auto stamp = text_in(object, "stamp");
    const auto plugged = object.find("plugged");
    if (!snapshot || !stamp || plugged == object.end() || !plugged->is_array() ||
        plugged->size() > UnloadableRam::most_ports)
        return std::nullopt;
    UnloadableRam ram{*snapshot, *stamp, {}};
    for (const auto& one : *plugged) {
        if (!one.is_object())
            return std::nullopt;
        const auto place = text_in(one, "place");
        const auto port = port_in(one);
        if (!place || !port)
            return std::nullopt;
        ram.plugged[*port] = *place;
    }
    return ram;
}

Result<std::vector<UnloadableRam>> all_unloadable_in(const json& object) {
    std::vector<UnloadableRam> all;
    const auto list = object.find("unloadable");
    if (list == object.end())
        return all;
    if (!list->is_array() || list->size() > SavedRam::most)
        return wrong("unloadable");
    for (const auto& entry : *list) {
        auto ram = unloadable_in(entry);
        if (!ram)
            return wrong("unloadable");
        all.push_back(std::move(*ram));
    }
    return all;
}

} // namespace

std::string format_intent(const VmIntent& intent) {
    json pins = json::object();
    for (const auto& [place, port] : intent.pins)
        pins[place] = {{"bus", port.bus}, {"port", port.port}};
    json unloadable = json::array();
    for (const auto& ram : intent.unloadable)
        unloadable.push_back(format_unloadable(ram));
    const json object{
        {"version", 1},
        {"owner", intent.owner},
        {"pins", std::move(pins)},
        {"attached", intent.attached},
        {"detached", intent.detached},
        {"unloadable", std::move(unloadable)},
        {"forced", intent.forced},
        {"by_hand_for", intent.by_hand_for},
    };
    return object.dump(1, ' ', false, json::error_handler_t::replace) + '\n';
}

Result<VmIntent> parse_intent(std::string_view text) {
    const json object = json::parse(text, nullptr, false);
    if (!object.is_object())
        return fail(ErrorKind::invalid, "it is no JSON object");
    VmIntent intent;
    auto owner = text_or_none(object, "owner");
    if (!owner)
        return owner.error();
    auto by_hand_for = text_or_none(object, "by_hand_for");
    if (!by_hand_for)
        return by_hand_for.error();
    intent.owner = std::move(*owner);
    intent.by_hand_for = std::move(*by_hand_for);
    auto pins = pins_in(object);
    if (!pins)
        return pins.error();
    auto attached = names_in(object, "attached");
    if (!attached)
        return attached.error();
    auto detached = names_in(object, "detached");
    if (!detached)
        return detached.error();
    auto unloadable = all_unloadable_in(object);
    if (!unloadable)
        return unloadable.error();
    auto forced = names_in(object, "forced");
    if (!forced)
        return forced.error();
    intent.forced = std::move(*forced);
    intent.pins = std::move(*pins);
    intent.attached = std::move(*attached);
    intent.detached = std::move(*detached);
    intent.unloadable = std::move(*unloadable);
    return intent;
}

} // namespace longcord
