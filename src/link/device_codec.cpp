// SPDX-License-Identifier: MIT
#include "link/device_codec.hpp"

#include "link/message.hpp"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

namespace longcord {

using nlohmann::json;

namespace {

constexpr unsigned max_bus = 0xffff;          // devid is busnum << 16 | devnum
constexpr unsigned max_devnum = 127;          // USB 2.0, 9.4.6: an address has seven bits
constexpr std::size_t max_interfaces = 32;    // linux/usb.h, USB_MAXINTERFACES
constexpr unsigned max_configurations = 0xff; // bNumConfigurations is a byte

json class_to_json(const InterfaceClass& c) {
    return json::array({c.code, c.subclass, c.protocol});
}

InterfaceClass class_from_json(const json& value, const std::string& path, LinkRefusal& refusal) {
    std::array<std::uint8_t, 3> bytes{};
    bool good = value.is_array() && value.size() == bytes.size();
    for (std::size_t i = 0; good && i < bytes.size(); ++i) {
        const auto* n = value[i].get_ptr<const json::number_unsigned_t*>();
        good = n && *n <= 0xff;
        if (good)
            bytes[i] = static_cast<std::uint8_t>(*n);
    }
    if (!good)
        refusal.refuse(path, "is no list of three numbers from 0 to 255");
    return {bytes[0], bytes[1], bytes[2]};
}

/// It becomes part of a persistent place ("workbench/platform-fe9c0000.xhci/1.2"), so nothing that
/// could end or change one is allowed in it.
std::string controller_from_fields(LinkFields& fields) {
    if (!fields.has("controller"))
        return {};
    std::string name = fields.exact_text("controller", max_device_string);
    const auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view(":._-+@,").find(c) != std::string_view::npos;
    };
    if (!std::all_of(name.begin(), name.end(), allowed))
        fields.refuse(
            "controller", fmt::format(
                              "\"{}\" is no controller such as "
                              "platform-fe9c0000.xhci",
                              printable(name, 40)));
    return name;
}

} // namespace

json device_to_json(const Device& device, LeftOut left_out) {
    json interfaces = json::array();
    for (const auto& c : device.interfaces)
        interfaces.push_back(class_to_json(c));
    return {
        {"busid", device.place.busid()},
        {"controller", device.controller},
        {"vendor", fmt::format("{:04x}", device.id.vendor)},
        {"product_id", fmt::format("{:04x}", device.id.product)},
        {"bcd", fmt::format("{:04x}", device.bcd_device)},
        {"class", class_to_json(device.device_class)},
        {"interfaces", std::move(interfaces)},
        {"configurations", device.configurations},
        {"speed", static_cast<unsigned>(device.speed)},
        {"manufacturer", left_out.manufacturer ? "" : device.manufacturer},
        {"product", left_out.product ? "" : device.product},
        {"serial", device.serial},
        {"devnum", device.devnum},
    };
}

Place busid_from_fields(LinkFields& fields, const std::string& pi) {
    const std::string busid = fields.exact_text("busid", max_busid);
    auto place = Place::parse(busid);
    if (!place || !place->pi.empty() || place->busid() != busid || place->bus > max_bus) {
        fields.refuse("busid", fmt::format("\"{}\" is no busid such as 1-1.2", printable(busid)));
        return {};
    }
    place->pi = pi;
    return std::move(*place);
}

Device device_from_fields(LinkFields& fields, const std::string& pi) {
    Device device;
    device.place = busid_from_fields(fields, pi);
    device.controller = controller_from_fields(fields);
    device.id = {fields.hex4("vendor"), fields.hex4("product_id")};
    device.bcd_device = fields.hex4("bcd");
    if (const json* value = fields.list("class", 3))
        device.device_class = class_from_json(*value, fields.path("class"), fields.refusal());
    if (const json* list = fields.list("interfaces", max_interfaces))
        for (std::size_t i = 0; i < list->size(); ++i)
            device.interfaces.push_back(class_from_json(
                (*list)[i], fmt::format("{}[{}]", fields.path("interfaces"), i), fields.refusal()));
    device.configurations = fields.small_number("configurations", 1, max_configurations, 1);
    device.speed =
        static_cast<Speed>(fields.number("speed", 0, static_cast<unsigned>(Speed::super_plus)));
    device.manufacturer = fields.text("manufacturer", "");
    device.product = fields.text("product", "");
    device.serial = fields.text("serial", "");
    device.devnum = fields.small_number("devnum", 0, max_devnum);
    return device;
}

} // namespace longcord
