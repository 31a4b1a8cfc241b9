// SPDX-License-Identifier: MIT
// What DTR and RTS of a port mean. Behind a bridge chip they are wires to the board's reset
// circuit; a chip with USB of its own interprets them itself, and must get them as they come.
#pragma once

#include "base/error.hpp"
#include "base/roots.hpp"
#include "usb/device.hpp"

#include <optional>
#include <string_view>

namespace longcord {

enum class PortMode : std::uint8_t {
    esp,         ///< resets are recognised and played here (EspReset)
    passthrough, ///< each command goes to the wire as it is
};

/// As configured; nullopt: `auto`, by vid:pid.
using ModeChoice = std::optional<PortMode>;

std::string_view to_string(PortMode mode) noexcept;
/// "esp", "passthrough" or "auto".
Result<ModeChoice> parse_mode(std::string_view text);

/// Bridge chips are esp, everything else is passed through: Espressif's own USB, and what is no
/// USB device at all.
PortMode mode_of(std::optional<UsbId> id) noexcept;

/// Of the USB device that a terminal belongs to, by sysfs; nullopt where it belongs to none.
std::optional<UsbId> usb_id_of_tty(const Roots& roots, const std::filesystem::path& device);

} // namespace longcord
