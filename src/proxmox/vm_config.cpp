// SPDX-License-Identifier: MIT
#include "proxmox/vm_config.hpp"

#include "base/text.hpp"
#include "proxmox/first_part.hpp"

#include <algorithm>
#include <array>

namespace longcord {

namespace {

constexpr std::size_t longest_value = 4096; // only to bound what we keep: PVE has no such limit

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string lower(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(), [](char c) { return lower(c); });
    return result;
}

struct Property {
    std::string_view key; ///< empty: the value stands alone
    std::string_view value;
};

/// One "key=value" of a comma-separated property string (PVE::JSONSchema::parse_property_string).
Property take_property(std::string_view& rest) {
    std::string_view part = take_first_part(rest, ',');
    const auto equals = part.find('=');
    if (equals == std::string_view::npos)
        return {{}, trim(part)};
    return {trim(part.substr(0, equals)), trim(part.substr(equals + 1))};
}

std::string_view without_0x(std::string_view digits) {
    return digits.starts_with("0x") ? digits.substr(2) : digits;
}

void set_usb_host(UsbLine& line, std::string_view value) {
    if (lower(value) == "spice") {
        line.spice = true;
    } else if (const auto colon = value.find(':'); colon != std::string_view::npos) {
        const auto id = UsbId::parse(
            std::string(without_0x(value.substr(0, colon))) + ':' +
            std::string(without_0x(value.substr(colon + 1))));
        if (id)
            line.id = *id;
    } else if (value.find('/') == std::string_view::npos) {
        if (auto place = Place::parse(value))
            line.place = std::move(*place);
    }
}

/// 8-4-4-4-12 hex digits.
bool is_uuid(std::string_view text) {
    constexpr std::string_view form = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    const auto fits = [](char c, char f) {
        return f == '-' ? c == '-' : parse_hex(std::string_view(&c, 1)).has_value();
    };
    return text.size() == form.size() && std::equal(text.begin(), text.end(), form.begin(), fits);
}

/// With base64=1 the text fields are encoded; the uuid never is.
std::string uuid_of(std::string_view smbios1) {
    while (!smbios1.empty()) {
        const auto property = take_property(smbios1);
        if (property.key == "uuid" && is_uuid(property.value))
            return lower(property.value);
    }
    return {};
}

VmLock lock_from(std::string_view text) {
    if (text.empty())
        return VmLock::none;
    if (text == "backup")
        return VmLock::backup;
    if (text == "snapshot-delete")
        return VmLock::snapshot_delete;
    if (text == "migrate")
        return VmLock::migrate;
    return VmLock::other;
}

void set_usb_line(std::vector<UsbLine>& lines, UsbLine line) {
    const auto same = [&](const UsbLine& other) { return other.index == line.index; };
    const auto found = std::find_if(lines.begin(), lines.end(), same);
    if (found != lines.end())
        *found = std::move(line);
    else
        lines.push_back(std::move(line));
}

void set_option(VmConfig& config, std::string_view key, std::string_view value) {
    const auto text = [&] { return printable(value, longest_value); };
    if (key == "name") {
        config.name = text();
    } else if (key == "lock") {
        config.lock = lock_from(value);
        config.lock_text = text();
    } else if (key == "smbios1") {
        config.uuid = uuid_of(value);
    } else if (key == "ostype") {
        config.ostype = text();
    } else if (key == "hookscript") {
        config.hookscript = text();
    } else if (key == "args") {
        config.args = text();
    } else if (key.starts_with("usb")) {
        constexpr unsigned highest = 99; // PVE has 14; more do no harm
        if (const auto index = parse_decimal(key.substr(3), highest))
            set_usb_line(config.usb, parse_usb_line(*index, value));
    }
}

} // namespace

UsbLine parse_usb_line(unsigned index, std::string_view value) {
    UsbLine line;
    line.index = index;
    line.text = printable(value, longest_value);
    while (!value.empty()) {
        const auto property = take_property(value);
        if (property.key == "mapping")
            line.mapping = printable(property.value);
        else if (property.key == "usb3")
            line.usb3 = property.value == "1" || lower(property.value) == "yes" ||
                        lower(property.value) == "on" || lower(property.value) == "true";
        else if (property.key.empty() || property.key == "host")
            set_usb_host(line, property.value);
    }
    return line;
}

VmConfig parse_vm_config(std::string_view text) {
    VmConfig config;
    const std::string_view whole = text;
    while (!text.empty()) {
        const auto line = take_first_part(text, '\n');
        if (line.starts_with('['))
            break;
        const auto colon = line.find(':'); // '#': the VM's description, which may hold anything
        if (colon != std::string_view::npos && !line.starts_with('#'))
            set_option(config, line.substr(0, colon), trim(line.substr(colon + 1)));
    }
    config.saved_ram = parse_saved_ram(whole, config.lock_text == "suspending");
    return config;
}

} // namespace longcord
