// SPDX-License-Identifier: MIT
// Who may ask a service for what. The socket's mode keeps strangers out; this is what is said to
// those who can open it: root (and the service's own user) may ask everything, the portal's user a
// listed set of verbs, nobody else anything.
#pragma once

#include "control/server.hpp"

#include <string_view>
#include <vector>

namespace longcord {

constexpr const char* portal_user = "longcord-portal";

/// ErrorKind::refused in words. `for_portal`: the verbs of that set.
Result<> check_permission(
    const Peer& peer, std::string_view verb, const std::vector<std::string_view>& for_portal);

/// Gives a control socket to the portal's group, where this machine has one: the socket's mode then
/// lets the portal connect, and check_permission() says what it may ask.
void let_portal_in(const std::filesystem::path& socket);

} // namespace longcord
