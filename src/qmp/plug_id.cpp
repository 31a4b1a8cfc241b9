// SPDX-License-Identifier: MIT
#include "qmp/plug_id.hpp"

namespace longcord {

static constexpr std::string_view prefix = "usbhost";

std::string plug_id(const Place& place) {
    std::string id(prefix);
    if (!place.is_local())
        id += '-' + place.pi + '-';
    return id + place.busid();
}

/// "workbench-1-1.2" -> "workbench/1-1.2"
static std::string with_slash(std::string_view text) {
    std::string place(text);
    const auto dash = place.rfind('-');
    const auto before = dash == std::string::npos || dash == 0 ? dash : place.rfind('-', dash - 1);
    if (before != std::string::npos)
        place[before] = '/';
    return place;
}

std::optional<Place> place_of_plug_id(std::string_view id) {
    if (!id.starts_with(prefix))
        return std::nullopt;
    std::string_view rest = id.substr(prefix.size());
    const bool of_pi = rest.starts_with('-');
    if (of_pi)
        rest.remove_prefix(1);
    auto place = Place::parse(of_pi ? with_slash(rest) : std::string(rest));
    // There and back again: leaves out "usbhost03-4" and a place that lacks its Pi.
    if (!place || plug_id(*place) != id)
        return std::nullopt;
    return std::move(*place);
}

} // namespace longcord
