// SPDX-License-Identifier: MIT
#include "serial/port_mode.hpp"

#include "base/files.hpp"

#include <algorithm>
#include <array>

namespace longcord {

namespace fs = std::filesystem;

std::string_view to_string(PortMode mode) noexcept {
    return mode == PortMode::esp ? "esp" : "passthrough";
}

Result<ModeChoice> parse_mode(std::string_view text) {
    if (text == "auto")
        return ModeChoice{};
    if (text == "esp")
        return ModeChoice{PortMode::esp};
    if (text == "passthrough")
        return ModeChoice{PortMode::passthrough};
    return fail(ErrorKind::invalid, "'{}' is no mode: esp, passthrough or auto", text);
}

PortMode mode_of(std::optional<UsbId> id) noexcept {
    constexpr std::uint16_t silicon_labs = 0x10c4; // CP210x
    constexpr std::uint16_t qinheng = 0x1a86;      // CH340, CH343, CH9102
    constexpr std::uint16_t ftdi = 0x0403;
    constexpr std::uint16_t prolific = 0x067b; // PL2303
    constexpr std::array bridges{silicon_labs, qinheng, ftdi, prolific};
    if (id && std::ranges::find(bridges, id->vendor) != bridges.end())
        return PortMode::esp;
    return PortMode::passthrough;
}

std::optional<UsbId> usb_id_of_tty(const Roots& roots, const fs::path& device) {
    std::error_code error;
    const fs::path node = fs::canonical(device, error);
    if (error)
        return std::nullopt;
    fs::path at = fs::canonical(roots.sys() / "class/tty" / node.filename() / "device", error);
    // From the port or interface up to the USB device: at most three folders.
    for (int up = 0; !error && up < 4 && at.has_relative_path(); ++up, at = at.parent_path()) {
        const auto vendor = read_attribute(at / "idVendor");
        const auto product = read_attribute(at / "idProduct");
        if (!vendor || !product)
            continue;
        const auto id = UsbId::parse(*vendor + ":" + *product);
        return id ? std::optional(*id) : std::nullopt;
    }
    return std::nullopt;
}

} // namespace longcord
