// SPDX-License-Identifier: MIT
// /etc/longcord/host.yaml: what the admin of a node may set. Every key has a default, so the file
// may be empty or missing; config/host.yaml shows them all. An unknown key or a wrong value is an
// error with file and line, never a silent default.
#pragma once

#include "base/clock.hpp"
#include "base/error.hpp"
#include "config/address.hpp"
#include "rules/parse.hpp"
#include "serial/allow_list.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace longcord {

/// A machine that is no Proxmox VM, in hotplugger's form.
struct MachineConfig {
    std::string name;
    std::filesystem::path socket;  ///< QMP, absolute
    std::vector<RuleText> ports;   ///< as in a .usb.conf: a DEVPATH, a place, all the grammar has
    std::vector<std::string> hubs; ///< QEMU buses to use, in order ("xhci0.0"); empty: any
    unsigned line = 0;
    bool operator==(const MachineConfig&) const = default;
};

/// A serial port of a Pi that this node offers on an address of its own.
struct SerialOffer {
    std::string pi;
    std::string port; ///< of the Pi: its TCP port, "4000", or its place, "1-1.2"
    Address listen;   ///< a literal address of this node
    AllowList allow;  ///< beside this node itself
    unsigned line = 0;
    bool operator==(const SerialOffer&) const = default;
};

/// What the node knows better of one Pi than the Pi itself.
struct PiSettings {
    std::optional<std::string> address;     ///< where its streams are dialled, not the link's peer
    std::optional<milliseconds> dead_after; ///< instead of the general one
    bool operator==(const PiSettings&) const = default;
};

enum class ForeignImports { allow, refuse };

struct HostConfig {
    static constexpr milliseconds min_dead_after{1'000};
    static constexpr milliseconds max_dead_after{60'000};
    static constexpr std::uint16_t standard_usbip_port = 3240; ///< IANA: usbip

    std::string log_level = "info";
    std::string node; ///< empty: this machine's host name
    milliseconds dead_after{3'000};
    /// Of servers that do not say theirs: plain ones, and Pis without our package.
    std::uint16_t usbip_port = standard_usbip_port;
    /// Of sshd on the nodes, for tokens and for Pis that learn of a node; 0: as this node's sshd
    /// has it.
    std::uint16_t ssh_port = 0;
    /// By mDNS, on these interfaces only: on a guest's bridge it is nobody's business.
    bool discovery = false;
    std::vector<std::string> discovery_interfaces;
    ForeignImports foreign_imports = ForeignImports::allow;
    struct Controllers {
        bool hot_add = false;
        bool operator==(const Controllers&) const = default;
    } controllers;
    std::map<std::string, PiSettings> pis;
    std::map<std::string, Address> usbip_servers; ///< plain servers, by the name their places have
    std::vector<MachineConfig> virtual_machines;
    std::vector<SerialOffer> serial_offers; ///< `serial: offers:`

    /// What was accepted and has no effect, as lines to log: "host.yaml:7: 'delay' is ignored:
    /// ...".
    std::vector<std::string> notes;

    milliseconds dead_after_of(const std::string& pi) const;
    /// What the single keys cannot tell: names and sockets given twice. The parser calls it.
    Result<> check() const;
    bool operator==(const HostConfig&) const = default;
};

/// `file` is for messages only. All problems are in the one error, a line each.
Result<HostConfig> parse_host_config(std::string_view text, const std::string& file);

/// A missing file is an empty one.
Result<HostConfig> load_host_config(const std::filesystem::path& file);

} // namespace longcord
