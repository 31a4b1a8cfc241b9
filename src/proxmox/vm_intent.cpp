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

Result<std::map<std::string, GuestPort>> pins_in(const json& object) {
    std::map<std::string, GuestPort> pins;
    const auto all = object.find("pins");
    if (all == object.end())
        return pins;
    if (!all->is_object() || all->size() > VmIntent::most_pins)
        return wrong("pins");
    constexpr unsigned highest_port = 255;
    for (const auto& [place, pin] : all->items()) {
        const auto bus = pin.find("bus");
        const auto port = pin.find("port");
        if (!pin.is_object() || bus == pin.end() || !bus->is_string() || port == pin.end() ||
            !port->is_number_unsigned() || port->get<std::uint64_t>() > highest_port)
            return wrong("pins");
        pins[printable(place)] = {printable(bus->get<std::string>()), port->get<unsigned>()};
    }
    return pins;
}

} // namespace

std::string format_intent(const VmIntent& intent) {
    json pins = json::object();
    for (const auto& [place, port] : intent.pins)
        pins[place] = {{"bus", port.bus}, {"port", port.port}};
    const json object{
        {"version", 1},
        {"owner", intent.owner},
        {"pins", std::move(pins)},
        {"attached", intent.attached},
        {"detached", intent.detached},
    };
    return object.dump(1, ' ', false, json::error_handler_t::replace) + '\n';
}

Result<VmIntent> parse_intent(std::string_view text) {
    const json object = json::parse(text, nullptr, false);
    if (!object.is_object())
        return fail(ErrorKind::invalid, "it is no JSON object");
    VmIntent intent;
    if (const auto owner = object.find("owner"); owner != object.end()) {
        if (!owner->is_string())
            return wrong("owner");
        intent.owner = printable(owner->get<std::string>());
    }
    auto pins = pins_in(object);
    if (!pins)
        return pins.error();
    auto attached = names_in(object, "attached");
    if (!attached)
        return attached.error();
    auto detached = names_in(object, "detached");
    if (!detached)
        return detached.error();
    intent.pins = std::move(*pins);
    intent.attached = std::move(*attached);
    intent.detached = std::move(*detached);
    return intent;
}

} // namespace longcord
