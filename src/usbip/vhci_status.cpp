// SPDX-License-Identifier: MIT
#include "usbip/vhci_status.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace longcord {

namespace {

// enum usbip_device_status in drivers/usb/usbip/usbip_common.h; 1 to 3 belong to usbip-host.
constexpr unsigned vdev_null = 4;
constexpr unsigned vdev_not_assigned = 5;
constexpr unsigned vdev_used = 6;
constexpr unsigned vdev_error = 7;

/// A pointer, or the 16 zeros of a controller that is not ready; a descriptor has six digits.
constexpr std::size_t pointer_digits = 16;

std::vector<std::string_view> words_of(std::string_view line) {
    std::vector<std::string_view> words;
    while (!(line = trim(line)).empty()) {
        words.push_back(line.substr(0, line.find_first_of(" \t")));
        line.remove_prefix(words.back().size());
    }
    return words;
}

Error bad_row(std::string_view line) {
    return fail(
        ErrorKind::protocol, "vhci status has the row \"{}\", which is in no known format",
        printable(line));
}

/// What follows the state of a used port: "003 00010002 000003 5-1".
bool read_used(
    VhciPort& port, const std::vector<std::string_view>& words, std::size_t first,
    bool descriptors) {
    if (words.size() != first + 4)
        return false;
    const auto speed = parse_decimal(words[first]);
    const auto devid = parse_hex(words[first + 1]);
    const std::string_view socket = words[first + 2];
    if (!speed || !devid)
        return false;
    port.speed = *speed;
    port.devid = *devid;
    if (descriptors && socket.size() < pointer_digits) {
        const auto sockfd = parse_decimal(socket);
        if (!sockfd)
            return false;
        port.sockfd = *sockfd;
    }
    port.local_busid = words[first + 3];
    return true;
}

Result<VhciPort> parse_row(std::string_view line, bool hub_column) {
    const auto words = words_of(line);
    const std::size_t first = hub_column ? 1 : 0;
    // The shortest row is a used one: hub, port, state, speed, devid, socket, busid.
    if (words.size() < first + 6 || (hub_column && words[0] != "hs" && words[0] != "ss"))
        return bad_row(line);
    const auto number = parse_decimal(words[first]);
    const auto state = parse_decimal(words[first + 1]);
    if (!number || !state)
        return bad_row(line);
    VhciPort port;
    port.super = hub_column && words[0] == "ss";
    port.port = *number;
    switch (*state) {
    case vdev_null:
        port.state = VhciPort::State::free;
        break;
    case vdev_not_assigned:
        // status_show_not_ready() in vhci_sysfs.c differs from a port being enumerated only so.
        port.state = hub_column && words[first + 4].size() >= pointer_digits
                         ? VhciPort::State::not_ready
                         : VhciPort::State::assigned;
        break;
    case vdev_used:
        port.state = VhciPort::State::used;
        if (!read_used(port, words, first + 2, hub_column))
            return bad_row(line);
        break;
    case vdev_error:
        port.state = VhciPort::State::error;
        break;
    default:
        port.state = VhciPort::State::not_ready;
        break;
    }
    return port;
}

} // namespace

Result<std::vector<VhciPort>> parse_vhci_status(std::string_view text) {
    const std::size_t header_end = std::min(text.find('\n'), text.size());
    const auto header = words_of(text.substr(0, header_end));
    // 4.13 and later begin with "hub port sta", 4.9 with "port sta", older ones with "prt sta".
    const bool hub_column = header.size() > 2 && header[0] == "hub" && header[1] == "port";
    const bool old = header.size() > 1 && (header[0] == "port" || header[0] == "prt");
    if ((!hub_column && !old) || header[hub_column ? 2 : 1] != "sta")
        return fail(
            ErrorKind::protocol, "vhci status begins with \"{}\", which is no known format",
            printable(text.substr(0, header_end)));
    std::vector<VhciPort> ports;
    std::string_view rest = text.substr(header_end);
    while (!(rest = trim(rest)).empty()) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(line.size());
        auto port = parse_row(line, hub_column);
        if (!port)
            return port.error();
        ports.push_back(std::move(*port));
    }
    return ports;
}

bool is_free(const std::vector<VhciPort>& ports, unsigned port) noexcept {
    const auto is_it = [port](const VhciPort& p) { return p.port == port; };
    const auto it = std::find_if(ports.begin(), ports.end(), is_it);
    return it != ports.end() && it->state == VhciPort::State::free;
}

} // namespace longcord
