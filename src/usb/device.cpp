// SPDX-License-Identifier: MIT
#include "usb/device.hpp"

#include "base/text.hpp"

namespace longcord {

Result<UsbId> UsbId::parse(std::string_view text) {
    constexpr std::size_t digits = 4;
    if (text.size() == 2 * digits + 1 && text[digits] == ':') {
        const auto vendor = parse_hex(text.substr(0, digits), 0xffff);
        const auto product = parse_hex(text.substr(digits + 1), 0xffff);
        if (vendor && product)
            return UsbId{static_cast<std::uint16_t>(*vendor), static_cast<std::uint16_t>(*product)};
    }
    return fail(ErrorKind::invalid, "\"{}\" is no vid:pid such as 10c4:ea60", printable(text));
}

std::string UsbId::to_string() const {
    return fmt::format("{:04x}:{:04x}", vendor, product);
}

Speed speed_from_sysfs(std::string_view megabits) noexcept {
    if (megabits == "1.5")
        return Speed::low;
    if (megabits == "12")
        return Speed::full;
    if (megabits == "480")
        return Speed::high;
    if (megabits == "5000")
        return Speed::super;
    if (megabits == "10000" || megabits == "20000")
        return Speed::super_plus;
    return Speed::unknown;
}

std::string_view to_string(Speed speed) noexcept {
    switch (speed) {
    case Speed::low:
        return "1.5 Mbit/s";
    case Speed::full:
        return "12 Mbit/s";
    case Speed::high:
    case Speed::wireless:
        return "480 Mbit/s";
    case Speed::super:
        return "5 Gbit/s";
    case Speed::super_plus:
        return "10 Gbit/s";
    case Speed::unknown:
        break;
    }
    return "unknown speed";
}

std::string Device::label() const {
    return product.empty() ? id.to_string() : id.to_string() + ' ' + product;
}

} // namespace longcord
