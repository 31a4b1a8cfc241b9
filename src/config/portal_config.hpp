// SPDX-License-Identifier: MIT
// /etc/longcord/portal.yaml: where the web portal listens, and with which certificate. The same
// manners as pi.yaml.
#pragma once

#include "base/error.hpp"
#include "config/address.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace longcord {

struct PortalConfig {
    static constexpr std::uint16_t standard_port = 8080;

    enum class Role {
        pi,   ///< shows and sets up this machine's longcord-pi
        host, ///< shows this machine's longcord-host, and changes nothing
    };

    std::string log_level = "info";
    Role role = Role::pi;
    /// Literal addresses; "::" takes IPv4 too. A node's portal is for that machine only: without
    /// `listen` it has both loopback addresses, and other ones are refused.
    std::vector<Address> listen{{"::", standard_port}};
    bool listen_given = false;
    /// By which browsers find this machine in the public DNS (portal/own_names.hpp).
    std::vector<std::string> names;
    struct Tls {
        std::filesystem::path certificate; ///< PEM, with the chain; both or none
        std::filesystem::path key;
        bool operator==(const Tls&) const = default;
    } tls;

    /// Whether they mean the same: where `listen` comes from is no part of it.
    bool operator==(const PortalConfig& other) const {
        return log_level == other.log_level && role == other.role && listen == other.listen &&
               names == other.names && tls == other.tls;
    }
    /// `listen`, or what the role has in its place.
    std::vector<Address> addresses() const;
    /// ErrorKind::invalid in words: a node's portal that others could reach.
    Result<> check_role() const;
};

/// `file` is for messages only. All problems are in the one error, a line each.
Result<PortalConfig> parse_portal_config(std::string_view text, const std::string& file);

/// A missing file is an empty one.
Result<PortalConfig> load_portal_config(const std::filesystem::path& file);

} // namespace longcord
