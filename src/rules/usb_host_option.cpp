// SPDX-License-Identifier: MIT
#include "rules/usb_host_option.hpp"

#include "base/text.hpp"
#include "rules/suggest.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace longcord {

struct UsbHostOption {
    std::string_view name;
    bool is_switch;
    unsigned lowest = 0;
    unsigned highest = 0;
};

/// isobufs transfers of isobsize packets each are in flight: QEMU's defaults are 4 and 32. usbip
/// refuses a transfer of more than 1024 packets (USBIP_MAX_ISO_PACKETS, drivers/usb/usbip); 128
/// packets are 16 ms at high speed, more latency than anyone wants.
static constexpr std::array options{
    UsbHostOption{"guest-reset", true},       UsbHostOption{"guest-resets-all", true},
    UsbHostOption{"isobsize", false, 1, 128}, UsbHostOption{"isobufs", false, 1, 64},
    UsbHostOption{"loglevel", false, 0, 4}, // enum libusb_log_level
    UsbHostOption{"pipeline", true},          UsbHostOption{"suppress-remote-wake", true},
};

static const UsbHostOption* find(std::string_view name) noexcept {
    const auto* found = std::find_if(
        options.begin(), options.end(), [&](const auto& option) { return option.name == name; });
    return found == options.end() ? nullptr : found;
}

bool is_usb_host_option(std::string_view name) noexcept {
    return find(name) != nullptr;
}

std::string_view why_not_an_option(std::string_view name) noexcept {
    static constexpr std::array<std::string_view, 12> ours{
        "bus",    "hostbus",  "hostaddr",  "hostport", "hostdevice", "id",
        "driver", "vendorid", "productid", "attached", "bootindex",  "msos-desc"};
    if (name == "pcap")
        return "it makes QEMU write a file; capture with usbmon on the host";
    if (std::find(ours.begin(), ours.end(), name) != ours.end())
        return "Longcord sets it; port= chooses the guest's port";
    return {};
}

std::optional<bool> parse_switch(std::string_view text) {
    const auto lower = ascii_lower(text);
    if (lower == "on" || lower == "yes" || lower == "true")
        return true;
    if (lower == "off" || lower == "no" || lower == "false")
        return false;
    return std::nullopt;
}

Result<PropertyValue> parse_usb_host_option(std::string_view name, std::string_view value) {
    const auto* option = find(name);
    if (option == nullptr)
        return fail(ErrorKind::invalid, "{} is no option of a rule", quoted(name));
    if (option->is_switch) {
        if (const auto on = parse_switch(value))
            return PropertyValue(*on);
        return fail(
            ErrorKind::invalid, "{}={} is neither on nor off: write {}=on or {}=off", name,
            printable(value), name, name);
    }
    const auto number = parse_decimal(value, option->highest);
    if (!number || *number < option->lowest)
        return fail(
            ErrorKind::invalid, "{}={} is out of range: write a number from {} to {}", name,
            printable(value), option->lowest, option->highest);
    return PropertyValue(static_cast<std::int64_t>(*number));
}

std::string format_property(const PropertyValue& value) {
    if (const auto* on = std::get_if<bool>(&value))
        return *on ? "on" : "off";
    if (const auto* number = std::get_if<std::int64_t>(&value))
        return std::to_string(*number);
    return std::get<std::string>(value);
}

std::string usb_host_option_names() {
    std::string names;
    for (const auto& option : options)
        names += (names.empty() ? "" : ", ") + std::string(option.name);
    return names;
}

} // namespace longcord
