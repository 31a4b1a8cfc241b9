// SPDX-License-Identifier: MIT
// The file /run/longcord/link.sock, and who may speak on it: root, this service's own user, and the
// user that longcord-link runs as.
#pragma once

#include "base/error.hpp"
#include "base/roots.hpp"
#include "base/task.hpp"

#include <filesystem>
#include <string_view>

#include <boost/asio/local/stream_protocol.hpp>

namespace longcord {

constexpr std::string_view link_user = "longcord";

inline std::filesystem::path link_socket_path(const Roots& roots) {
    return roots.run() / "link.sock";
}

/// Mode 0660, group `longcord`, in place of one that a former service left behind.
Result<> listen_for_links(
    asio::local::stream_protocol::acceptor& acceptor, const std::filesystem::path& path);

/// By SO_PEERCRED.
Result<> check_link_peer(int socket);

} // namespace longcord
