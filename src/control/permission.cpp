// SPDX-License-Identifier: MIT
#include "control/permission.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include <spdlog/spdlog.h>

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

namespace longcord {

static bool is_portal(uid_t uid) {
    passwd entry{};
    passwd* found = nullptr;
    std::array<char, 4096> buffer{};
    ::getpwnam_r(portal_user, &entry, buffer.data(), buffer.size(), &found);
    return found && entry.pw_uid == uid;
}

Result<> check_permission(
    const Peer& peer, std::string_view verb, const std::vector<std::string_view>& for_portal) {
    if (peer.uid == 0 || peer.uid == ::geteuid())
        return {};
    if (!is_portal(peer.uid))
        return fail(
            ErrorKind::refused, "only root may ask this service; you are user {}", peer.uid);
    if (std::ranges::find(for_portal, verb) == for_portal.end())
        return fail(
            ErrorKind::refused, "\"{}\" is not for the portal; try again as root",
            printable(verb, 40));
    return {};
}

void let_portal_in(const std::filesystem::path& socket) {
    group entry{};
    group* found = nullptr;
    std::array<char, 4096> buffer{};
    ::getgrnam_r(portal_user, &entry, buffer.data(), buffer.size(), &found);
    // No such group: there is no portal here. Not root (a test): it is our own group already.
    if (found && ::chown(socket.c_str(), static_cast<uid_t>(-1), entry.gr_gid) != 0)
        spdlog::warn(
            "{}: the portal's group cannot have it: {}", socket.string(),
            std::generic_category().message(errno));
}

} // namespace longcord
