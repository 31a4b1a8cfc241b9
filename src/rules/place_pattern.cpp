// SPDX-License-Identifier: MIT
#include "rules/place_pattern.hpp"

#include "base/text.hpp"
#include "rules/bad_place.hpp"
#include "rules/suggest.hpp"

#include <algorithm>

namespace longcord {

static bool is_hex(std::string_view text, std::size_t shortest, std::size_t longest) noexcept {
    return text.size() >= shortest && text.size() <= longest && parse_hex(text).has_value();
}

/// domain:bus:device.function; a domain has five digits behind Intel's VMD.
static bool is_pci_address(std::string_view text) noexcept {
    const auto first = text.find(':');
    const auto second = first == text.npos ? text.npos : text.find(':', first + 1);
    const auto dot = second == text.npos ? text.npos : text.find('.', second + 1);
    return dot != text.npos && is_hex(text.substr(0, first), 4, 8) &&
           is_hex(text.substr(first + 1, second - first - 1), 2, 2) &&
           is_hex(text.substr(second + 1, dot - second - 1), 2, 2) &&
           is_hex(text.substr(dot + 1), 1, 1) && text[dot + 1] <= '7';
}

bool is_controller_name(std::string_view name) noexcept {
    constexpr std::string_view pci = "pci-";
    constexpr std::string_view platform = "platform-";
    if (name.starts_with(pci))
        return is_pci_address(name.substr(pci.size()));
    const auto allowed = [](char c) {
        return is_ascii_alnum(c) || c == '.' || c == '_' || c == ':' || c == '-';
    };
    // A controller behind a PCI bridge is named by its own PCI address alone.
    return name.starts_with(platform) && name.size() > platform.size() &&
           std::all_of(name.begin(), name.end(), allowed) && name.find("-pci-") == name.npos &&
           name.find("-usb") == name.npos;
}

bool is_at_or_below(std::string_view path, std::string_view root) noexcept {
    return path.starts_with(root) && (path.size() == root.size() || path[root.size()] == '/');
}

static std::optional<PlacePattern> read_controller(std::string_view text) {
    const auto slash = text.rfind('/');
    if (slash == text.npos || !is_controller_name(text.substr(0, slash)))
        return std::nullopt;
    auto path = PortPath::parse(text.substr(slash + 1));
    if (!path)
        return std::nullopt;
    PlacePattern pattern;
    pattern.kind = PlacePattern::Kind::local_controller;
    pattern.controller = text.substr(0, slash);
    if (pattern.controller.starts_with("pci-"))
        pattern.controller = ascii_lower(pattern.controller); // sysfs writes hex in lower case
    pattern.path = std::move(*path);
    return pattern;
}

/// The port chain after "usbN" must be whole, 3-4 before 3-4.1, or no device could be below it.
static std::optional<PlacePattern> read_devpath(std::string_view text) {
    PlacePattern pattern;
    pattern.kind = PlacePattern::Kind::devpath;
    pattern.devpath = text;
    bool below_root_hub = false;
    for (std::string_view rest = text.substr(1);;) {
        const auto slash = rest.find('/');
        const auto component = rest.substr(0, slash);
        if (component.empty() || component == "." || component == "..")
            return std::nullopt;
        if (below_root_hub) {
            auto place = Place::parse(component);
            if (!place || place->bus != pattern.bus || place->to_string() != component ||
                place->path.ports.size() != pattern.path.ports.size() + 1 ||
                !pattern.path.covers(place->path))
                return std::nullopt;
            pattern.path = std::move(place->path);
        } else if (component.starts_with("usb")) {
            const auto bus = parse_decimal(component.substr(3));
            below_root_hub = bus && *bus > 0;
            pattern.bus = bus.value_or(0);
        }
        if (slash == rest.npos)
            break;
        rest.remove_prefix(slash + 1);
    }
    return below_root_hub ? std::optional(std::move(pattern)) : std::nullopt;
}

static std::optional<PlacePattern> read_local(std::string_view text) {
    if (text.find('/') != text.npos)
        return read_controller(text);
    const auto place = Place::parse(text);
    if (!place)
        return std::nullopt;
    PlacePattern pattern;
    pattern.kind = PlacePattern::Kind::local_bus;
    pattern.bus = place->bus;
    pattern.path = place->path;
    return pattern;
}

std::optional<PlacePattern> PlacePattern::read(std::string_view text) {
    if (text == "*/*")
        return PlacePattern{};
    if (text.starts_with("/devices/"))
        return read_devpath(text);
    const auto slash = text.find('/');
    const auto name = text.substr(0, slash);
    if (!is_pi_name(name))
        return read_local(text);
    PlacePattern pattern;
    pattern.kind = Kind::pi_any;
    if (slash != text.npos && text.substr(slash + 1) != "*") {
        auto local = read_local(text.substr(slash + 1));
        if (!local)
            return std::nullopt;
        pattern = std::move(*local);
        pattern.kind = pattern.controller.empty() ? Kind::pi_bus : Kind::pi_controller;
    }
    pattern.pi = name;
    return pattern;
}

Result<PlacePattern> PlacePattern::parse(std::string_view text) {
    if (auto pattern = read(text))
        return *pattern;
    return Error{ErrorKind::invalid, bad_place_message(text)};
}

std::string PlacePattern::to_string() const {
    const auto ports = path.to_string();
    switch (kind) {
    case Kind::anywhere:
        return "*/*";
    case Kind::local_bus:
        return std::to_string(bus) + '-' + ports;
    case Kind::local_controller:
        return controller + '/' + ports;
    case Kind::devpath:
        return devpath;
    case Kind::pi_any:
        return pi;
    case Kind::pi_bus:
        return pi + '/' + std::to_string(bus) + '-' + ports;
    case Kind::pi_controller:
        return pi + '/' + controller + '/' + ports;
    }
    return {};
}

bool PlacePattern::covers(
    const Place& place, std::string_view on_controller, std::string_view at) const noexcept {
    switch (kind) {
    case Kind::anywhere:
        return true;
    case Kind::devpath:
        return place.is_local() && is_at_or_below(at, devpath);
    case Kind::pi_any:
        return place.pi == pi;
    case Kind::local_bus:
    case Kind::pi_bus:
        return place.pi == pi && place.bus == bus && path.covers(place.path);
    case Kind::local_controller:
    case Kind::pi_controller:
        return place.pi == pi && on_controller == controller && path.covers(place.path);
    }
    return false;
}

bool PlacePattern::covers(const PlacePattern& other) const noexcept {
    if (kind == Kind::anywhere)
        return true;
    if (kind == Kind::pi_any)
        return other.pi == pi;
    if (kind == Kind::devpath)
        return other.kind == Kind::devpath && is_at_or_below(other.devpath, devpath);
    // A DEVPATH ends in the place by bus.
    const bool same_form =
        other.kind == kind || (kind == Kind::local_bus && other.kind == Kind::devpath);
    return same_form && other.pi == pi && other.bus == bus && other.controller == controller &&
           path.covers(other.path);
}

} // namespace longcord
