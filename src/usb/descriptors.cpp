// SPDX-License-Identifier: MIT
#include "usb/descriptors.hpp"

#include <map>

namespace longcord {

// USB 2.0, table 9-5.
static constexpr unsigned type_configuration = 2;
static constexpr unsigned type_interface = 4;
// USB 2.0, tables 9-10 and 9-12: sizes and offsets.
static constexpr std::size_t configuration_size = 9;
static constexpr std::size_t configuration_value = 5;
static constexpr std::size_t interface_size = 9;

std::vector<InterfaceClass> interfaces_in(std::string_view descriptors, unsigned configuration) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(descriptors[i]); };
    std::map<unsigned, InterfaceClass> found;
    bool inside = false;
    while (descriptors.size() >= 2) {
        const std::size_t length = byte(0);
        const unsigned type = byte(1);
        if (length < 2 || length > descriptors.size())
            break;
        if (type == type_configuration) {
            if (inside)
                break; // the next configuration begins
            inside = length >= configuration_size &&
                     (configuration == 0 || byte(configuration_value) == configuration);
        } else if (type == type_interface && inside && length >= interface_size && byte(3) == 0) {
            found.try_emplace(byte(2), InterfaceClass{byte(5), byte(6), byte(7)});
        }
        descriptors.remove_prefix(length);
    }
    std::vector<InterfaceClass> interfaces;
    interfaces.reserve(found.size());
    for (const auto& [number, code] : found)
        interfaces.push_back(code);
    return interfaces;
}

} // namespace longcord
