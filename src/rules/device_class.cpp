// SPDX-License-Identifier: MIT
#include "rules/device_class.hpp"

#include "base/text.hpp"
#include "rules/suggest.hpp"

#include <array>
#include <vector>

#include <fmt/core.h>

namespace longcord {

struct ClassName {
    std::string_view name;
    std::uint8_t code;
};

/// The first name of a code is the one that is written.
static constexpr std::array class_names{
    ClassName{"audio", 0x01},        ClassName{"cdc", 0x02},      ClassName{"comm", 0x02},
    ClassName{"hid", 0x03},          ClassName{"printer", 0x07},  ClassName{"storage", 0x08},
    ClassName{"mass-storage", 0x08}, ClassName{"hub", 0x09},      ClassName{"smartcard", 0x0b},
    ClassName{"video", 0x0e},        ClassName{"wireless", 0xe0}, ClassName{"vendor", 0xff},
};

struct ClassHint {
    std::string_view word;
    std::string_view instead;
};

static constexpr std::string_view serial_hint =
    "class=cdc (boards with their own USB port) or class=vendor (CP210x, CH340, FTDI), or better "
    "the vid:pid";

static constexpr std::array class_hints{
    ClassHint{"keyboard", "class=hid"},
    ClassHint{"mouse", "class=hid"},
    ClassHint{"input", "class=hid"},
    ClassHint{"gamepad", "class=hid"},
    ClassHint{"joystick", "class=hid"},
    ClassHint{"disk", "class=storage"},
    ClassHint{"usb-storage", "class=storage"},
    ClassHint{"usbstorage", "class=storage"},
    ClassHint{"msc", "class=storage"},
    ClassHint{"massstorage", "class=storage"},
    ClassHint{"mass_storage", "class=storage"},
    ClassHint{"webcam", "class=video"},
    ClassHint{"camera", "class=video"},
    ClassHint{"uvc", "class=video"},
    ClassHint{"sound", "class=audio"},
    ClassHint{"headset", "class=audio"},
    ClassHint{"bluetooth", "class=wireless"},
    ClassHint{"bt", "class=wireless"},
    ClassHint{"modem", "class=cdc"},
    ClassHint{"cdc-acm", "class=cdc"},
    ClassHint{"cdc_acm", "class=cdc"},
    ClassHint{"acm", "class=cdc"},
    ClassHint{"communications", "class=cdc"},
    ClassHint{"network", "class=cdc"},
    ClassHint{"ethernet", "class=cdc"},
    ClassHint{"ccid", "class=smartcard"},
    ClassHint{"smart-card", "class=smartcard"},
    ClassHint{"serial", serial_hint},
    ClassHint{"tty", serial_hint},
    ClassHint{"uart", serial_hint},
    ClassHint{"zigbee", serial_hint},
    ClassHint{"vendor-specific", "class=vendor"},
};

std::optional<std::uint8_t> parse_device_class(std::string_view text) {
    const auto lower = ascii_lower(text);
    for (const auto& known : class_names)
        if (known.name == lower)
            return known.code;
    const std::string_view number = lower;
    const auto code = parse_hex(number.starts_with("0x") ? number.substr(2) : number, 0xff);
    if (!code || number.size() > 4)
        return std::nullopt;
    return static_cast<std::uint8_t>(*code);
}

std::string device_class_name(std::uint8_t code) {
    for (const auto& known : class_names)
        if (known.code == code)
            return std::string(known.name);
    return fmt::format("{:02x}", code);
}

std::string device_class_names() {
    std::string names;
    for (const auto& known : class_names)
        names += (names.empty() ? "" : ", ") + std::string(known.name);
    return names;
}

std::string device_class_hint(std::string_view text) {
    const auto lower = ascii_lower(text);
    for (const auto& hint : class_hints)
        if (hint.word == lower)
            return std::string(hint.instead);
    std::vector<std::string_view> names;
    names.reserve(class_names.size());
    for (const auto& known : class_names)
        names.push_back(known.name);
    const auto near = closest(lower, names);
    return near.empty() ? std::string() : "class=" + std::string(near);
}

} // namespace longcord
