// SPDX-License-Identifier: MIT
// What a person meant who wrote something that is no place: a number without its dash, a path of
// /dev, what udev or lsusb or qm prints. The message says what to write instead.
#pragma once

#include <string>
#include <string_view>

namespace longcord {

/// `text` is no place (PlacePattern::read refused it).
std::string bad_place_message(std::string_view text);

/// "10c4:ea60" from "0x10C4:0xEA60", "10c4-ea60", "10c4/ea60", "10c4:ea60"; empty: no vid:pid.
std::string guess_usb_id(std::string_view text);

} // namespace longcord
