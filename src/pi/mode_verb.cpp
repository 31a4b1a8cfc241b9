// SPDX-License-Identifier: MIT
#include "pi/mode_verb.hpp"

#include "base/text.hpp"
#include "pi/mode_store.hpp"

#include <nlohmann/json.hpp>

namespace longcord {

using nlohmann::json;

static std::string argument(const json& args, const char* key) {
    const auto found = args.find(key);
    return found != args.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string ModeChange::mode_word() const {
    return mode ? std::string(to_string(*mode)) : "default";
}

json ModeChange::to_json() const {
    json out{{"mode", mode_word()}};
    if (const auto* place = std::get_if<ControllerPlace>(&which)) {
        out["place"] = what;
        out["controller_place"] = place->to_string();
    } else {
        const auto& device = std::get<DeviceIdentity>(which);
        out["id"] = device.id.to_string();
        out["serial"] = device.serial;
    }
    return out;
}

Result<ControllerPlace> read_place(const Roots& roots, const std::string& text) {
    if (auto stable = ControllerPlace::parse(text))
        return stable;
    const auto place = Place::parse(text);
    if (!place)
        return place.error();
    if (!place->is_local())
        return fail(
            ErrorKind::invalid, "'{}': a place of this machine has no Pi's name", printable(text));
    return by_controller(roots, *place);
}

static Result<> read_which(const json& args, const Roots& roots, ModeChange& change) {
    if (const auto text = argument(args, "place"); !text.empty()) {
        const auto place = read_place(roots, text);
        if (!place)
            return place.error();
        change.which = *place;
        change.what = text;
        return {};
    }
    const auto text = argument(args, "id");
    if (text.empty())
        return fail(ErrorKind::invalid, "mode needs a place, such as 1-1.2, or an id");
    const auto id = UsbId::parse(text);
    if (!id)
        return id.error();
    const auto serial = printable(argument(args, "serial"));
    change.which = DeviceIdentity{*id, serial};
    change.what = serial.empty() ? id->to_string() : id->to_string() + " serial=" + serial;
    return {};
}

/// At a place, the device at it alone: what is below a hub is judged one by one.
static bool is_meant(const ModeChange& change, const Device& device) {
    if (const auto* place = std::get_if<ControllerPlace>(&change.which))
        return place->controller == device.controller && place->path == device.place.path;
    const auto& meant = std::get<DeviceIdentity>(change.which);
    return meant.id == device.id && (meant.serial.empty() || meant.serial == device.serial);
}

Result<ModeChange> read_mode_change(
    const json& args, const Roots& roots, const ExportState& state, const ExportConfig& config) {
    ModeChange change;
    const auto word = argument(args, "mode");
    change.mode = parse_device_mode(word);
    if (!change.mode && word != "default")
        return fail(
            ErrorKind::invalid, "'{}' is no mode: usbip, serial, off or default", printable(word));
    if (const auto good = read_which(args, roots, change); !good)
        return good.error();
    if (!change.mode || *change.mode == DeviceMode::off)
        return change;
    for (const auto& [busid, plugged] : state.plugged) {
        if (!is_meant(change, plugged.local.device))
            continue;
        // A bound network adapter no longer shows that it is one: what it was before counts too.
        const auto before = state.before.find(busid);
        auto why = never_leaves(plugged.local, config);
        if (!why && before != state.before.end() &&
            same_kind(before->second.local.device, plugged.local.device))
            why = never_leaves(before->second.local, config);
        if (why)
            return fail(ErrorKind::refused, "{} stays on this machine: {}", busid, *why);
        if (*change.mode == DeviceMode::usbip)
            change.leaving.push_back(plugged.local);
    }
    return change;
}

template <class Map, class Key>
static Result<> set(Map& map, const Key& key, std::optional<DeviceMode> mode) {
    if (!mode) {
        map.erase(key);
        return {};
    }
    if (map.size() >= max_modes && !map.contains(key))
        return fail(
            ErrorKind::full, "{} modes are set, which is all that can be: set some to default",
            max_modes);
    map[key] = *mode;
    return {};
}

Result<> apply(const ModeChange& change, Modes& modes) {
    if (const auto* place = std::get_if<ControllerPlace>(&change.which)) {
        modes.paused.erase(*place); // whoever sets a mode wants it to have an effect
        return set(modes.places, *place, change.mode);
    }
    return set(modes.devices, std::get<DeviceIdentity>(change.which), change.mode);
}

} // namespace longcord
