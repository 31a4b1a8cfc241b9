// SPDX-License-Identifier: MIT
#include "cast.hpp"

#include "rules/parse.hpp"

namespace longcord::model {

namespace {

constexpr std::array lines{
    "3-4",
    "attic",
    "workbench/1-1",
    "*/* 1a86:55d4",
    "!3-4.2",
    "attic/1-1 port=2",
    "workbench/1-1.2 config=2",
    "3-4.1 force\nstock",
};

} // namespace

Place place_at(std::string_view text) {
    return Place::parse(text).value();
}

Place any_place(std::uint32_t number) {
    number %= pi_places.size() + local_places.size();
    return place_at(
        number < pi_places.size() ? pi_places[number] : local_places[number - pi_places.size()]);
}

Device device_of_kind(std::uint32_t kind) {
    Device device;
    device.id = kind % 2 == 0 ? UsbId{0x1a86, 0x55d4} : UsbId{0x0403, 0x6001};
    device.serial = kind % 3 == 0 ? "0001" : "";
    device.speed = kind % 8 == 5 ? Speed::super : Speed::full;
    device.configurations = kind % 4 == 2 ? 2 : 1;
    if (kind % 16 == 15)
        device.device_class.code = class_hub;
    return device;
}

LocalDevice local_device(const Place& place, std::uint32_t kind) {
    LocalDevice local;
    local.device = device_of_kind(kind);
    local.device.place = place;
    local.device.controller = "pci-0000:00:14.0";
    local.sysfs_path = place.busid();
    local.devpath = "/devices/pci0000:00/0000:00:14.0/usb3/" + place.busid();
    local.authorized = true;
    local.configuration = 1;
    return local;
}

VmRules rules_of(unsigned vmid, std::uint32_t which) {
    std::string text;
    for (std::size_t i = 0; i < std::size(lines); ++i)
        if ((which >> i & 1) != 0)
            text += std::string(lines.at(i)) + '\n';
    return {vmid, parse_rules(text).rules};
}

} // namespace longcord::model
