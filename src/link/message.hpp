// SPDX-License-Identifier: MIT
// What a Pi and a node say to each other: one JSON object a line. docs/protocol.md is the whole of
// it. Pure: bytes in, values or a refusal out. What a Pi sends is not trusted; a refusal names the
// Pi and the field, and the message as a whole is dropped.
#pragma once

#include "base/clock.hpp"
#include "base/error.hpp"
#include "seal/stream_secret.hpp"
#include "usb/device.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace longcord {

/// The version this build speaks. The one before it must keep working once there is one.
constexpr unsigned link_version = 1;
constexpr std::size_t max_link_line = 64 * 1024; ///< bytes, without the newline
constexpr std::size_t max_link_devices = 128;    ///< a Pi (design, section 10)
constexpr std::size_t max_busid = 31;            ///< USB/IP's busid[32], NUL included
constexpr unsigned default_usbip_port = 3240;
constexpr std::size_t max_link_error = 1000;  ///< bytes of an error message; longer ones are cut
constexpr std::size_t max_serial_port = 300;  ///< bytes of the name of a serial port
constexpr std::size_t max_serial_client = 64; ///< bytes of a client's address with its port
constexpr std::size_t max_link_nodes = 32;    ///< nodes of a cluster that a welcome names
constexpr std::size_t max_host_keys = 8;      ///< of one node
constexpr std::size_t max_host_key = 1024;    ///< bytes of "ssh-ed25519 AAAA..."

bool speaks_link_version(unsigned version) noexcept;

// From a Pi.

struct Hello {
    unsigned version = link_version;
    std::string software; ///< "longcord-pi 0.1.0"
    unsigned usbip_port = default_usbip_port;
    bool operator==(const Hello&) const = default;
};

/// Everything the Pi exports now: the truth, in place of all that was said before.
struct Devices {
    std::vector<Device> devices;
    bool operator==(const Devices&) const = default;
};

/// A device came, or is another one than before at the same busid.
struct Added {
    Device device;
    bool operator==(const Added&) const = default;
};

struct Removed {
    std::string busid;
    bool operator==(const Removed&) const = default;
};

struct Pong {
    std::uint64_t n = 0;
    bool operator==(const Pong&) const = default;
};

/// The Pi expects the stream of the `open` with this number now.
struct Opened {
    std::uint64_t n = 0;
    bool operator==(const Opened&) const = default;
};

/// It does not, and why: the device is gone, is not exported, a limit.
struct OpenRefused {
    std::uint64_t n = 0;
    std::string why;
    bool operator==(const OpenRefused&) const = default;
};

/// It does not: another node has the device. `available` follows once it has let go.
struct Busy {
    std::uint64_t n = 0;
    std::string node; ///< or the address of a plain USB/IP client
    std::optional<unsigned> vmid;
    bool operator==(const Busy&) const = default;
};

/// What was answered busy can be opened now.
struct Available {
    std::string busid;
    bool operator==(const Available&) const = default;
};

/// The Pi wants to be unpaired: its admin said `longcord leave`.
struct Leave {
    bool operator==(const Leave&) const = default;
};

// From a node.

/// Another node of the cluster, which the same key opens.
struct NodeAddress {
    std::string name;
    std::string address; ///< IP address
    unsigned port = 22;
    std::vector<std::string> host_keys; ///< "ssh-ed25519 AAAA..."
    bool operator==(const NodeAddress&) const = default;
};

/// Said as soon as a link is there, and again after the service was restarted. The Pi answers every
/// welcome with hello and devices.
struct Welcome {
    unsigned version = link_version;
    std::string node;
    std::string software;
    std::string pi{}; ///< what the node calls this Pi: the name that stands in its rules
    /// After so long a silence this node has given up the Pi's streams, whatever became of them.
    milliseconds dead_after{3000};
    std::vector<NodeAddress> nodes{}; ///< the cluster's other nodes
    bool operator==(const Welcome&) const = default;
};

struct Ping {
    std::uint64_t n = 0;
    bool operator==(const Ping&) const = default;
};

/// Serve this busid to who shows this ticket, once, within 10 s. Answered by opened, refused or
/// busy with the same `n`.
struct Open {
    std::uint64_t n = 0;
    std::string busid;
    unsigned vmid = 0; ///< for whom: others that want the device are told
    StreamSecret secret;
    bool operator==(const Open&) const = default;
};

/// The same for a serial port of this Pi, which the node offers on an address of its own: the
/// stream is to be a client of that port. Answered by opened or refused.
struct OpenSerial {
    std::uint64_t n = 0;
    std::string port;   ///< its TCP port ("4000"), or its place ("1-1.2", "pci-0000:00:14.0/4.1")
    std::string client; ///< who connected to the node: "10.0.0.5:53211"
    StreamSecret secret;
    bool operator==(const OpenSerial&) const = default;
};

/// This node has let go of the device, or wants it no more: whatever stream of this link serves it
/// can end.
struct Close {
    std::string busid;
    bool operator==(const Close&) const = default;
};

/// What became of a device: plugged into which VM, or why not.
struct State {
    std::string busid;
    std::string node;
    std::optional<unsigned> vmid;
    std::string state; ///< a word of docs/protocol.md: "plugged", "waiting", ...
    std::string why;
    std::string vm{}; ///< the VM's name; empty: none, or not known
    bool operator==(const State&) const = default;
};

/// A sentence for the Pi's log and status.
struct LinkError {
    std::string message;
    /// This SSH session is over: longcord-link passes the line on and exits.
    bool final = false;
    bool operator==(const LinkError&) const = default;
};

/// What became of a `connect` or `disconnect` of a Pi without our package; for longcord-link, which
/// makes its output and exit status of it.
struct Done {
    bool ok = false;
    std::string message;
    bool operator==(const Done&) const = default;
};

using PiMessage =
    std::variant<Hello, Devices, Added, Removed, Pong, Opened, OpenRefused, Busy, Available, Leave>;
using HostMessage = std::variant<Welcome, Ping, Open, OpenSerial, Close, State, LinkError, Done>;

/// One line without its newline. Where a list of devices would be longer than max_link_line, first
/// the manufacturers' and then the products' texts are left out of it.
std::string format(const PiMessage& message);
std::string format(const HostMessage& message);

/// `pi` becomes the place's Pi: a Pi cannot speak in another's name. Device texts are cut to
/// max_device_string bytes and made printable; everything else that is out of bounds is
/// ErrorKind::invalid.
Result<PiMessage> parse_pi_message(std::string_view line, const std::string& pi);
Result<HostMessage> parse_host_message(std::string_view line);

} // namespace longcord
