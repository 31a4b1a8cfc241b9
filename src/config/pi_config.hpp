// SPDX-License-Identifier: MIT
// /etc/longcord/pi.yaml: what the admin of a Pi may set. The same manners as host.yaml.
#pragma once

#include "base/clock.hpp"
#include "base/error.hpp"
#include "config/address.hpp"
#include "serial/allow_list.hpp"
#include "serial/port_mode.hpp"
#include "usb/device.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace longcord {

/// Which devices are exported. Hubs and network adapters never are, whatever stands here.
struct ExportConfig {
    /// Drivers of this machine whose devices are exported: the serial ones.
    std::vector<std::string> drivers{"cp210x", "ch341", "ftdi_sio", "cdc_acm"};
    std::vector<UsbId> ids;    ///< more devices, whatever drives them
    std::vector<Place> places; ///< local places; each covers what is plugged below it
    struct Never {             ///< stronger than all of the above
        std::vector<UsbId> ids;
        std::vector<Place> places;
        bool operator==(const Never&) const = default;
    } never;
    bool operator==(const ExportConfig&) const = default;
};

/// How devices in mode `serial` are served. Places are as they were written: by bus ("1-1.2") or
/// by controller ("platform-fe9c0000.xhci/1.2").
struct SerialConfig {
    static constexpr milliseconds default_hold{10'000};
    static constexpr milliseconds max_hold{24 * 3600 * 1000};

    std::vector<std::string> listen{"::"};      ///< addresses, without ports
    AllowList allow;                            ///< beside the paired nodes and this machine
    std::map<std::string, std::uint16_t> ports; ///< fixed TCP ports of places
    std::map<std::string, ModeChoice> modes;
    milliseconds hold = default_hold;
    std::filesystem::path logs; ///< a folder; empty: no logs
    bool observers = false;     ///< on the port + 1000
    bool operator==(const SerialConfig&) const = default;
};

struct PiConfig {
    static constexpr std::uint16_t ssh_port = 22;
    static constexpr std::uint16_t standard_usbip_port = 3240; ///< IANA: usbip

    std::string log_level = "info";
    std::string
        name; ///< for this Pi's own messages; the node knows it by its key. Empty: host name
    std::vector<Address> nodes;
    std::filesystem::path identity = "/etc/longcord/id_ed25519";
    std::filesystem::path known_hosts = "/etc/longcord/known_hosts";
    std::uint16_t usbip_port = standard_usbip_port;
    /// `usbip: allow:` plain USB/IP clients that are served, unsealed, beside the paired nodes.
    std::vector<Network> usbip_allow;
    ExportConfig exports; ///< the key `export`
    SerialConfig serial;

    /// What the single keys cannot tell: a node given twice. The parser calls it.
    Result<> check() const;
    bool operator==(const PiConfig&) const = default;
};

/// `file` is for messages only. All problems are in the one error, a line each.
Result<PiConfig> parse_pi_config(std::string_view text, const std::string& file);

/// A missing file is an empty one.
Result<PiConfig> load_pi_config(const std::filesystem::path& file);

} // namespace longcord
