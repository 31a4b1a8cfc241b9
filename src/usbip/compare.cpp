// SPDX-License-Identifier: MIT
#include "usbip/compare.hpp"

namespace longcord {

static std::string in_words(const InterfaceClass& c) {
    return fmt::format("{:02x}/{:02x}/{:02x}", c.code, c.subclass, c.protocol);
}

static std::string in_words(const std::vector<InterfaceClass>& interfaces) {
    std::string words;
    for (const auto& interface : interfaces)
        words += (words.empty() ? "" : " ") + in_words(interface);
    return words;
}

static bool equal_speed(Speed a, Speed b) noexcept {
    return a == b || (is_super(a) && is_super(b));
}

std::optional<std::string> differs(const Device& local, const Device& announced) {
    if (local.id != announced.id)
        return fmt::format(
            "it is {}, announced was {}", local.id.to_string(), announced.id.to_string());
    // 0 says nothing: Renode leaves it out. No rule asks for it.
    if (announced.bcd_device != 0 && local.bcd_device != announced.bcd_device)
        return fmt::format(
            "bcdDevice is {:04x}, announced was {:04x}", local.bcd_device, announced.bcd_device);
    if (local.device_class != announced.device_class)
        return fmt::format(
            "class is {}, announced was {}", in_words(local.device_class),
            in_words(announced.device_class));
    if (!equal_speed(local.speed, announced.speed))
        return fmt::format(
            "speed is {}, announced was {}", to_string(local.speed), to_string(announced.speed));
    if (local.configurations != announced.configurations)
        return fmt::format(
            "it has {} configurations, announced were {}", local.configurations,
            announced.configurations);
    // A class of 0 says nothing: what it is, its interfaces say. Which configuration they are read
    // of is only sure where there is one; the import's reply tells none of them.
    const bool comparable =
        local.configurations == 1 && !local.interfaces.empty() && !announced.interfaces.empty();
    if (comparable && local.interfaces != announced.interfaces)
        return fmt::format(
            "its interfaces are {}, announced were {}", in_words(local.interfaces),
            in_words(announced.interfaces));
    return std::nullopt;
}

std::optional<std::string> differs(const WireDevice& wire, const Device& announced) {
    Device device;
    device.id = wire.id;
    device.bcd_device = wire.bcd_device;
    device.device_class = wire.device_class;
    device.speed = wire.speed;
    device.configurations = wire.configurations;
    return differs(device, announced);
}

} // namespace longcord
