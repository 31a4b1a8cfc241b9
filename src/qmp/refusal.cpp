// SPDX-License-Identifier: MIT
#include "qmp/refusal.hpp"

namespace longcord {

namespace {

struct Hint {
    std::string_view text;
    ErrorKind kind;
    std::string_view advice;
};

// Texts of QEMU 7.2 to 11.0: softmmu/qdev-monitor.c (later system/), hw/usb/bus.c,
// hw/usb/host-libusb.c. The first that is found counts.
constexpr Hint hints[] = {
    {"not allowed while migrating", ErrorKind::unavailable, "the VM is being migrated"},
    {"Duplicate device ID", ErrorKind::busy, "a device with this id is in the VM already"},
    {"not found (in use?)", ErrorKind::busy,
     "the controller has no such port, or another device of the VM has it"},
    {"no free ports", ErrorKind::full, "all ports of the controller are taken"},
    {"No such file or directory", ErrorKind::not_found, "the device has left this host"},
    {"No such device", ErrorKind::not_found, "the device has left this host"},
    {"Permission denied", ErrorKind::refused, "QEMU's user may not open the device"},
    {"Operation not permitted", ErrorKind::refused, "QEMU's user may not open the device"},
    {"resource busy", ErrorKind::busy, "somebody else has the device open"},
    {"failed to open host usb device", ErrorKind::unavailable,
     "the device does not let itself be opened; QEMU's own log says more (journalctl -t QEMU)"},
    {"Property '", ErrorKind::invalid, "this QEMU's usb-host has no such property"},
    {"Parameter '", ErrorKind::invalid, "this QEMU does not take that value"},
    {"Invalid parameter", ErrorKind::invalid, "this QEMU does not take that value"},
    {"Bus '", ErrorKind::not_found, "the VM has no such USB controller"},
    {"No 'usb-bus' bus", ErrorKind::not_found, "the VM has no USB controller"},
};

} // namespace

Error refusal(std::string_view doing, const QmpError& said) {
    for (const auto& [text, kind, advice] : hints)
        if (said.description.find(text) != std::string::npos)
            return fail(kind, "{}: {}; QEMU says: {}", doing, advice, said.description);
    const auto kind =
        said.error_class == "DeviceNotFound" ? ErrorKind::not_found : ErrorKind::system;
    return fail(kind, "{}: QEMU says: {} ({})", doing, said.description, said.error_class);
}

bool is_device_not_found(const QmpAnswer& answer) noexcept {
    return answer.error && answer.error->error_class == "DeviceNotFound";
}

} // namespace longcord
