// SPDX-License-Identifier: MIT
// The properties of QEMU's usb-host device that a rule may set (hw/usb/host-libusb.c,
// usb_host_dev_properties). The rest is not offered: it names the device or its port, which is
// Longcord's job, or, as pcap, makes QEMU write files.
#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace longcord {

/// Typed as QMP wants it: since QEMU 9.2 a number in quotes is refused.
using PropertyValue = std::variant<bool, std::int64_t, std::string>;
using Properties = std::map<std::string, PropertyValue>;

bool is_usb_host_option(std::string_view name) noexcept;
/// A property usb-host has and a rule may not set; why, or an empty text.
std::string_view why_not_an_option(std::string_view name) noexcept;
/// The error says which values there are.
Result<PropertyValue> parse_usb_host_option(std::string_view name, std::string_view value);
/// "off", "16".
std::string format_property(const PropertyValue& value);

/// "on", "yes", "true" or their opposites; nullopt otherwise.
std::optional<bool> parse_switch(std::string_view text);

/// For messages: "guest-reset, isobufs, ...".
std::string usb_host_option_names();

} // namespace longcord
