// SPDX-License-Identifier: MIT
#include "usbip/wire.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace longcord {

namespace {

constexpr std::size_t wire_interface_size = 4; // class, subclass, protocol, padding

void put(std::string& out, std::uint32_t value, unsigned bytes) {
    while (bytes-- > 0)
        out += static_cast<char>(value >> (8 * bytes) & 0xff);
}

void put_padded(std::string& out, std::string_view text, std::size_t size) {
    out += text;
    out.append(size - text.size(), '\0');
}

/// Takes from the front of a message whose length was checked before.
class Reader {
  public:
    explicit Reader(std::string_view bytes) : rest_(bytes) {}

    std::uint32_t number(unsigned bytes) {
        std::uint32_t value = 0;
        for (const char c : take(bytes))
            value = value << 8 | static_cast<unsigned char>(c);
        return value;
    }
    std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
    std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
    std::uint32_t u32() { return number(4); }
    InterfaceClass interface_class() {
        InterfaceClass value;
        value.code = u8();
        value.subclass = u8();
        value.protocol = u8();
        return value;
    }
    /// Up to the first zero byte; all of it where there is none.
    std::string_view text(std::size_t size) {
        const std::string_view field = take(size);
        return field.substr(0, field.find('\0'));
    }
    std::string_view take(std::size_t size) {
        const std::string_view front = rest_.substr(0, size);
        rest_.remove_prefix(front.size());
        return front;
    }
    std::size_t left() const { return rest_.size(); }

  private:
    std::string_view rest_;
};

Result<> check_busid(std::string_view busid) {
    if (is_wire_busid(busid))
        return {};
    return fail(ErrorKind::protocol, "\"{}\" is no USB/IP busid such as 1-1.2", printable(busid));
}

Result<> put_device(std::string& out, const WireDevice& device) {
    if (auto good = check_busid(device.busid); !good)
        return good;
    put_padded(out, std::string_view(device.path).substr(0, wire_path_size - 1), wire_path_size);
    put_padded(out, device.busid, wire_busid_size);
    put(out, device.busnum, 4);
    put(out, device.devnum, 4);
    put(out, static_cast<std::uint32_t>(device.speed), 4);
    put(out, device.id.vendor, 2);
    put(out, device.id.product, 2);
    put(out, device.bcd_device, 2);
    for (const std::uint8_t byte :
         {device.device_class.code, device.device_class.subclass, device.device_class.protocol,
          device.configuration, device.configurations, device.interface_count})
        put(out, byte, 1);
    return {};
}

} // namespace

bool is_wire_busid(std::string_view busid) noexcept {
    const auto allowed = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               c == '.' || c == '_' || c == ':' || c == '-';
    };
    return !busid.empty() && busid.size() < wire_busid_size &&
           std::all_of(busid.begin(), busid.end(), allowed) && busid != "." &&
           busid.find("..") == std::string_view::npos;
}

std::string format_op_header(const OpHeader& header) {
    std::string out;
    put(out, header.version, 2);
    put(out, header.code, 2);
    put(out, header.status, 4);
    return out;
}

Result<OpHeader> parse_op_header(std::string_view bytes) {
    if (bytes.size() != op_header_size)
        return fail(
            ErrorKind::protocol, "{} bytes of a header of {}", bytes.size(), op_header_size);
    Reader reader(bytes);
    OpHeader header;
    header.version = reader.u16();
    header.code = reader.u16();
    header.status = reader.u32();
    return header;
}

Result<> check_reply(const OpHeader& header, OpCode expected) {
    if (header.version != usbip_version)
        return fail(
            ErrorKind::protocol, "it speaks USB/IP version 0x{:04x}, not 0x{:04x}", header.version,
            usbip_version);
    if (header.code != static_cast<std::uint16_t>(expected))
        return fail(
            ErrorKind::protocol, "it answered with code 0x{:04x}, not 0x{:04x}", header.code,
            static_cast<std::uint16_t>(expected));
    switch (static_cast<OpStatus>(header.status)) {
    case OpStatus::ok:
        return {};
    case OpStatus::not_available:
        return fail(ErrorKind::unavailable, "the server could not export it (status 1)");
    case OpStatus::device_busy:
        return fail(ErrorKind::busy, "somebody else imports it (status 2)");
    case OpStatus::device_error:
        return fail(
            ErrorKind::unavailable, "it is in error state over there (status 3): unbind "
                                    "and bind it again, or replug it");
    case OpStatus::no_device:
        return fail(ErrorKind::not_found, "the server exports no such device (status 4)");
    case OpStatus::error:
        return fail(ErrorKind::unavailable, "the server reports an error of its own (status 5)");
    }
    return fail(ErrorKind::protocol, "it answered with the unknown status {}", header.status);
}

Result<std::string> format_import_request(std::string_view busid) {
    if (auto good = check_busid(busid); !good)
        return good.error();
    std::string out =
        format_op_header({usbip_version, static_cast<std::uint16_t>(OpCode::req_import), 0});
    put_padded(out, busid, wire_busid_size);
    return out;
}

Result<std::string> parse_import_request(std::string_view bytes) {
    if (bytes.size() != import_request_size)
        return fail(
            ErrorKind::protocol, "{} bytes of an import request of {}", bytes.size(),
            import_request_size);
    Reader reader(bytes);
    const auto header = parse_op_header(reader.take(op_header_size));
    if (header->version != usbip_version ||
        header->code != static_cast<std::uint16_t>(OpCode::req_import))
        return fail(
            ErrorKind::protocol, "version 0x{:04x}, code 0x{:04x} is no import request",
            header->version, header->code);
    const std::string_view busid = reader.text(wire_busid_size);
    if (auto good = check_busid(busid); !good)
        return good.error();
    return std::string(busid);
}

Result<std::string> format_import_reply(const WireDevice& device) {
    std::string out =
        format_op_header({usbip_version, static_cast<std::uint16_t>(OpCode::rep_import), 0});
    if (auto done = put_device(out, device); !done)
        return done.error();
    return out;
}

Result<WireDevice> parse_wire_device(std::string_view bytes) {
    if (bytes.size() != wire_device_size)
        return fail(
            ErrorKind::protocol, "{} bytes of a device description of {}", bytes.size(),
            wire_device_size);
    Reader reader(bytes);
    WireDevice device;
    device.path = printable(reader.text(wire_path_size));
    device.busid = reader.text(wire_busid_size);
    if (auto good = check_busid(device.busid); !good)
        return good.error();
    const std::uint32_t busnum = reader.u32();
    const std::uint32_t devnum = reader.u32();
    const std::uint32_t speed = reader.u32();
    if (busnum > 0xffff || devnum > 0xffff)
        return fail(
            ErrorKind::protocol, "{}: bus {}, device {} are out of range", device.busid, busnum,
            devnum);
    if (speed > static_cast<std::uint32_t>(Speed::super_plus))
        return fail(ErrorKind::protocol, "{}: {} is no USB speed", device.busid, speed);
    device.busnum = static_cast<std::uint16_t>(busnum);
    device.devnum = static_cast<std::uint16_t>(devnum);
    device.speed = static_cast<Speed>(speed);
    device.id.vendor = reader.u16();
    device.id.product = reader.u16();
    device.bcd_device = reader.u16();
    device.device_class = reader.interface_class();
    device.configuration = reader.u8();
    device.configurations = reader.u8();
    device.interface_count = reader.u8();
    return device;
}

std::string format_devlist_request() {
    return format_op_header({usbip_version, static_cast<std::uint16_t>(OpCode::req_devlist), 0});
}

Result<std::string> format_devlist_reply(const std::vector<WireDevice>& devices) {
    std::string out =
        format_op_header({usbip_version, static_cast<std::uint16_t>(OpCode::rep_devlist), 0});
    put(out, static_cast<std::uint32_t>(devices.size()), 4);
    for (const WireDevice& device : devices) {
        if (device.interfaces.size() != device.interface_count)
            return fail(
                ErrorKind::invalid, "{}: {} interfaces announced, {} described", device.busid,
                device.interface_count, device.interfaces.size());
        if (auto done = put_device(out, device); !done)
            return done.error();
        for (const InterfaceClass& interface : device.interfaces) {
            put(out, interface.code, 1);
            put(out, interface.subclass, 1);
            put(out, interface.protocol, 1);
            put(out, 0, 1);
        }
    }
    return out;
}

Result<std::vector<WireDevice>> parse_devlist_reply(std::string_view bytes) {
    Reader reader(bytes);
    const auto header = parse_op_header(reader.take(op_header_size));
    if (!header)
        return header.error();
    if (auto good = check_reply(*header, OpCode::rep_devlist); !good)
        return good.error();
    if (reader.left() < 4)
        return fail(ErrorKind::protocol, "the device list ends before its length");
    const std::uint32_t count = reader.u32();
    if (count > max_devlist_devices)
        return fail(
            ErrorKind::protocol, "a list of {} devices; at most {} are read", count,
            max_devlist_devices);
    std::vector<WireDevice> devices;
    for (std::uint32_t i = 0; i < count; ++i) {
        auto device = parse_wire_device(reader.take(wire_device_size));
        if (!device)
            return device.error();
        if (reader.left() < device->interface_count * wire_interface_size)
            return fail(
                ErrorKind::protocol, "{}: the list ends among its {} interfaces", device->busid,
                device->interface_count);
        for (unsigned n = 0; n < device->interface_count; ++n) {
            device->interfaces.push_back(reader.interface_class());
            reader.take(1);
        }
        devices.push_back(std::move(*device));
    }
    if (reader.left() != 0)
        return fail(ErrorKind::protocol, "{} bytes follow the device list", reader.left());
    return devices;
}

} // namespace longcord
