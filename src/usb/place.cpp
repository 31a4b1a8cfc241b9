// SPDX-License-Identifier: MIT
#include "usb/place.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace longcord {

/// A bus or a port as the kernel writes it: from 1, without leading zeros, so that a place has one
/// form.
static std::optional<unsigned> parse_number(std::string_view text) {
    return text.starts_with('0') ? std::nullopt : parse_decimal(text);
}

Result<PortPath> PortPath::parse(std::string_view text) {
    PortPath path;
    for (std::string_view rest = text;;) {
        const auto dot = rest.find('.');
        const auto port = parse_number(rest.substr(0, dot));
        if (!port)
            return fail(
                ErrorKind::invalid, "\"{}\" is no port path such as 4 or 4.1.2", printable(text));
        path.ports.push_back(*port);
        if (dot == std::string_view::npos)
            return path;
        rest.remove_prefix(dot + 1);
    }
}

std::string PortPath::to_string() const {
    std::string text;
    for (const unsigned port : ports) {
        if (!text.empty())
            text += '.';
        text += std::to_string(port);
    }
    return text;
}

bool PortPath::covers(const PortPath& other) const noexcept {
    return ports.size() <= other.ports.size() &&
           std::equal(ports.begin(), ports.end(), other.ports.begin());
}

Result<Place> Place::parse(std::string_view text) {
    Place place;
    std::string_view busid = text;
    if (const auto slash = text.find('/'); slash != std::string_view::npos) {
        place.pi = text.substr(0, slash);
        busid = text.substr(slash + 1);
        if (!is_pi_name(place.pi))
            return fail(ErrorKind::invalid, "\"{}\" is no name of a Pi", printable(place.pi));
    }
    const auto dash = busid.find('-');
    const auto bus = parse_number(busid.substr(0, dash));
    if (dash == std::string_view::npos || !bus)
        return fail(
            ErrorKind::invalid, "\"{}\" is no place such as 3-4.1 or workbench/1-1.2",
            printable(text));
    auto path = PortPath::parse(busid.substr(dash + 1));
    if (!path)
        return path.error();
    place.bus = *bus;
    place.path = std::move(*path);
    return place;
}

std::string Place::busid() const {
    return std::to_string(bus) + '-' + path.to_string();
}

std::string Place::to_string() const {
    return pi.empty() ? busid() : pi + '/' + busid();
}

bool Place::covers(const Place& other) const noexcept {
    return pi == other.pi && bus == other.bus && path.covers(other.path);
}

bool is_pi_name(std::string_view name) noexcept {
    constexpr std::size_t longest = 31;
    const auto letter = [](char c) { return c >= 'a' && c <= 'z'; };
    const auto allowed = [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '-'; };
    return !name.empty() && name.size() <= longest && letter(name.front()) &&
           std::all_of(name.begin(), name.end(), allowed) && !name.starts_with("pci-") &&
           !name.starts_with("platform-");
}

} // namespace longcord
