// SPDX-License-Identifier: MIT
// The operations of USB/IP 1.1.1: what is said on a fresh connection before URBs flow. Pure: bytes
// to values and back. Numbers are big endian; sizes and codes are those of
// Documentation/usb/usbip_protocol.rst and tools/usb/usbip/src/usbip_network.h in the kernel's
// tree. The peer is not trusted: a parser takes a whole message and refuses one that is a byte
// short or long.
#pragma once

#include "base/error.hpp"
#include "usb/device.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace longcord {

constexpr std::uint16_t usbip_version = 0x0111;
constexpr std::uint16_t usbip_port = 3240;

constexpr std::size_t op_header_size = 8;
constexpr std::size_t wire_busid_size = 32; ///< with its closing zero byte
constexpr std::size_t wire_path_size = 256;
constexpr std::size_t wire_device_size = 312;
constexpr std::size_t import_request_size = op_header_size + wire_busid_size;
/// Design, section 10: 128 devices a Pi.
constexpr std::size_t max_devlist_devices = 128;

enum class OpCode : std::uint16_t {
    req_import = 0x8003,
    rep_import = 0x0003,
    req_devlist = 0x8005,
    rep_devlist = 0x0005,
};

/// `status` of a reply (usbip_common.h: ST_OK ... ST_ERROR).
enum class OpStatus : std::uint32_t {
    ok = 0,
    not_available = 1, ///< usbipd could not hand its socket to usbip-host
    device_busy = 2,   ///< somebody else imports it
    device_error = 3,  ///< usbip-host gave it up: it must be unbound and bound again over there
    no_device = 4,     ///< no such busid, or it is not bound to usbip-host
    error = 5,
};

struct OpHeader {
    std::uint16_t version = usbip_version;
    std::uint16_t code = 0;
    std::uint32_t status = 0;
    bool operator==(const OpHeader&) const = default;
};

/// struct usbip_usb_device: 312 bytes on the wire, without its interfaces.
struct WireDevice {
    std::string path;         ///< of the server's sysfs, for information only
    std::string busid;        ///< 1 to 31 bytes, see is_wire_busid
    std::uint16_t busnum = 0; ///< 32 bits on the wire; the kernel has 16 for it in a devid
    std::uint16_t devnum = 0;
    Speed speed = Speed::unknown;
    UsbId id;
    std::uint16_t bcd_device = 0;
    InterfaceClass device_class;
    std::uint8_t configuration = 0; ///< bConfigurationValue
    std::uint8_t configurations = 0;
    std::uint8_t interface_count = 0;
    std::vector<InterfaceClass> interfaces; ///< of a device list only: an import's reply has none

    /// The number that names the device in each URB header (stub_dev.c).
    std::uint32_t devid() const noexcept { return std::uint32_t{busnum} << 16 | devnum; }
    bool operator==(const WireDevice&) const = default;
};

/// What may stand in a message, a file name and a log line: 1 to 31 of [A-Za-z0-9._:-], no "..".
bool is_wire_busid(std::string_view busid) noexcept;

std::string format_op_header(const OpHeader&);
/// Exactly 8 bytes. Any version and code: check_reply judges them.
Result<OpHeader> parse_op_header(std::string_view bytes);
/// Version 1.1.1, the code that was asked for, status 0. The kind of a refusal follows its status:
/// 2 is busy, 4 is not_found, the other statuses are unavailable; anything else is protocol.
Result<> check_reply(const OpHeader&, OpCode expected);

Result<std::string> format_import_request(std::string_view busid);
/// The busid of exactly 40 bytes.
Result<std::string> parse_import_request(std::string_view bytes);
/// With OpStatus::ok and the device; the other statuses are an OpHeader alone.
Result<std::string> format_import_reply(const WireDevice&);
/// Exactly 312 bytes: what follows the header of a successful import.
Result<WireDevice> parse_wire_device(std::string_view bytes);

std::string format_devlist_request();
Result<std::string> format_devlist_reply(const std::vector<WireDevice>&);
/// The whole message, header included: the server closes the connection after it. At most
/// max_devlist_devices.
Result<std::vector<WireDevice>> parse_devlist_reply(std::string_view bytes);

} // namespace longcord
