// SPDX-License-Identifier: MIT
// Names of USB device classes (USB-IF, "Defined Class Codes") as rules write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace longcord {

/// "hid", "storage" or "mass-storage", "cdc" or "comm", ..., or one or two hex digits with or
/// without 0x; any case.
std::optional<std::uint8_t> parse_device_class(std::string_view text);

/// The name if it has one, else two hex digits: what parse_device_class() reads back.
std::string device_class_name(std::uint8_t code);

/// All names, for messages: "audio, cdc, hid, ...".
std::string device_class_names();

/// What to write for a word people try: "keyboard" -> "class=hid". Empty: no idea.
std::string device_class_hint(std::string_view text);

} // namespace longcord
