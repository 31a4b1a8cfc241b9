// SPDX-License-Identifier: MIT
// The id of a plugged device in QEMU carries its place, so that `info usb` shows it and a restarted
// service knows from QEMU alone what is its own: usbhost3-4.1 is 3-4.1 of this host,
// usbhost-workbench-1-1.2 is workbench/1-1.2. Only an id of exactly this form is ours.
#pragma once

#include "usb/place.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace longcord {

std::string plug_id(const Place& place);

/// Read from the right, since a Pi's name may hold dashes and digits. nullopt: not ours.
std::optional<Place> place_of_plug_id(std::string_view id);

} // namespace longcord
