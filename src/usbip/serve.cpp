// SPDX-License-Identifier: MIT
#include "usbip/serve.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace longcord {

Result<UsbipRequest> parse_request_header(std::string_view bytes) {
    const auto header = parse_op_header(bytes);
    if (!header)
        return header.error();
    if (header->version != usbip_version)
        return fail(
            ErrorKind::protocol, "it speaks USB/IP version 0x{:04x}, not 0x{:04x}", header->version,
            usbip_version);
    switch (static_cast<OpCode>(header->code)) {
    case OpCode::req_devlist:
        return UsbipRequest::devlist;
    case OpCode::req_import:
        return UsbipRequest::import;
    default:
        return fail(ErrorKind::protocol, "0x{:04x} is no request", header->code);
    }
}

Result<std::string> parse_requested_busid(std::string_view bytes) {
    if (bytes.size() != wire_busid_size)
        return fail(
            ErrorKind::protocol, "{} bytes of a busid of {}", bytes.size(), wire_busid_size);
    const auto busid = bytes.substr(0, bytes.find('\0'));
    if (!is_wire_busid(busid))
        return fail(
            ErrorKind::protocol, "\"{}\" is no USB/IP busid such as 1-1.2", printable(busid));
    return std::string(busid);
}

WireDevice describe(const LocalDevice& local) {
    const Device& device = local.device;
    const auto byte = [](std::size_t value) {
        return static_cast<std::uint8_t>(std::min<std::size_t>(value, 255));
    };
    WireDevice wire;
    wire.path = "/sys" + local.devpath;
    wire.busid = device.place.busid();
    wire.busnum = static_cast<std::uint16_t>(device.place.bus);
    wire.devnum = static_cast<std::uint16_t>(device.devnum);
    wire.speed = device.speed;
    wire.id = device.id;
    wire.bcd_device = device.bcd_device;
    wire.device_class = device.device_class;
    wire.configuration = byte(local.configuration);
    wire.configurations = byte(device.configurations);
    wire.interfaces = device.interfaces;
    if (wire.interfaces.size() > 255)
        wire.interfaces.resize(255);
    wire.interface_count = byte(wire.interfaces.size());
    return wire;
}

std::string format_import_refusal(OpStatus status) {
    return format_op_header(
        {usbip_version, static_cast<std::uint16_t>(OpCode::rep_import),
         static_cast<std::uint32_t>(status)});
}

} // namespace longcord
