// SPDX-License-Identifier: MIT
#include "pi/modes.hpp"

#include "base/text.hpp"

#include <nlohmann/json.hpp>

namespace longcord {

using nlohmann::json;

std::string_view to_string(DeviceMode mode) noexcept {
    switch (mode) {
    case DeviceMode::usbip:
        return "usbip";
    case DeviceMode::serial:
        return "serial";
    case DeviceMode::off:
        break;
    }
    return "off";
}

std::optional<DeviceMode> parse_device_mode(std::string_view word) noexcept {
    for (const auto mode : {DeviceMode::usbip, DeviceMode::serial, DeviceMode::off})
        if (word == to_string(mode))
            return mode;
    return std::nullopt;
}

Result<ControllerPlace> ControllerPlace::parse(std::string_view text) {
    const auto slash = text.rfind('/');
    const auto path = slash == std::string_view::npos ? fail(ErrorKind::invalid, "no slash")
                                                      : PortPath::parse(text.substr(slash + 1));
    const auto controller = text.substr(0, path ? slash : 0);
    if (!path || (!controller.starts_with("pci-") && !controller.starts_with("platform-")))
        return fail(
            ErrorKind::invalid,
            "\"{}\" is no place by controller such as platform-fe9c0000.xhci/1.2", printable(text));
    return ControllerPlace{std::string(controller), *path};
}

std::string ControllerPlace::to_string() const {
    return controller + "/" + path.to_string();
}

std::optional<DeviceMode> Modes::of(const Device& device) const {
    std::optional<DeviceMode> found;
    std::size_t longest = 0;
    for (const auto& [place, mode] : places)
        if (place.controller == device.controller && place.path.covers(device.place.path) &&
            place.path.ports.size() > longest) {
            longest = place.path.ports.size();
            found = mode;
        }
    if (found)
        return found;
    for (const auto& serial : {device.serial, std::string()})
        if (const auto one = devices.find({device.id, serial}); one != devices.end())
            return one->second;
    return std::nullopt;
}

bool Modes::is_paused(const Device& device) const {
    return paused.contains({device.controller, device.place.path});
}

std::string format_modes(const Modes& modes) {
    json out{{"places", json::array()}, {"devices", json::array()}};
    for (const auto& [place, mode] : modes.places)
        out["places"].push_back({{"place", place.to_string()}, {"mode", to_string(mode)}});
    for (const auto& [device, mode] : modes.devices)
        out["devices"].push_back(
            {{"id", device.id.to_string()}, {"serial", device.serial}, {"mode", to_string(mode)}});
    out["paused"] = json::array();
    for (const auto& place : modes.paused)
        out["paused"].push_back(place.to_string());
    return out.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

static std::string text_of(const json& entry, const char* key) {
    const auto found = entry.is_object() ? entry.find(key) : entry.end();
    return entry.is_object() && found != entry.end() && found->is_string()
               ? found->get<std::string>()
               : std::string();
}

static Result<> read_entry(const json& entry, bool by_place, Modes& modes) {
    const auto mode = parse_device_mode(text_of(entry, "mode"));
    if (!mode)
        return fail(
            ErrorKind::invalid, "\"{}\" is no mode: usbip, serial or off",
            printable(text_of(entry, "mode")));
    if (by_place) {
        const auto place = ControllerPlace::parse(text_of(entry, "place"));
        if (!place)
            return place.error();
        modes.places[*place] = *mode;
        return {};
    }
    const auto id = UsbId::parse(text_of(entry, "id"));
    if (!id)
        return id.error();
    modes.devices[{*id, printable(text_of(entry, "serial"))}] = *mode;
    return {};
}

static Result<> read_paused(const json& read, Modes& modes) {
    const auto list = read.find("paused");
    if (list == read.end())
        return {};
    if (!list->is_array() || list->size() > max_modes)
        return fail(ErrorKind::invalid, "paused: no list of at most {}", max_modes);
    for (const json& entry : *list) {
        const auto place =
            ControllerPlace::parse(entry.is_string() ? entry.get<std::string>() : std::string());
        if (!place)
            return fail(ErrorKind::invalid, "paused: {}", place.error().message);
        modes.paused.insert(*place);
    }
    return {};
}

Result<Modes> parse_modes(std::string_view text) {
    const json read = json::parse(text, nullptr, false);
    if (!read.is_object())
        return fail(ErrorKind::invalid, "this is no JSON object");
    Modes modes;
    for (const bool by_place : {true, false}) {
        const char* key = by_place ? "places" : "devices";
        const auto list = read.find(key);
        if (list == read.end())
            continue;
        if (!list->is_array() || list->size() > max_modes)
            return fail(ErrorKind::invalid, "{}: no list of at most {}", key, max_modes);
        for (std::size_t i = 0; i < list->size(); ++i)
            if (const auto good = read_entry((*list)[i], by_place, modes); !good)
                return fail(ErrorKind::invalid, "{}[{}]: {}", key, i, good.error().message);
    }
    if (const auto good = read_paused(read, modes); !good)
        return good.error();
    return modes;
}

} // namespace longcord
