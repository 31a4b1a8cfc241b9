// SPDX-License-Identifier: MIT
#include "link/link_socket_file.hpp"

#include <array>
#include <cerrno>
#include <optional>

#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace longcord {

static std::optional<passwd> link_account() {
    passwd entry{};
    passwd* found = nullptr;
    std::array<char, 4096> buffer;
    const std::string name(link_user);
    ::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
    return found ? std::optional(entry) : std::nullopt; // only its numbers are used
}

Result<> listen_for_links(
    asio::local::stream_protocol::acceptor& acceptor, const std::filesystem::path& path) {
    std::error_code ignored; // bind says what is wrong, if anything is
    std::filesystem::create_directories(path.parent_path(), ignored);
    std::filesystem::remove(path, ignored);
    boost::system::error_code error;
    acceptor.open(asio::local::stream_protocol(), error);
    if (!error)
        acceptor.bind(asio::local::stream_protocol::endpoint(path.string()), error);
    if (error)
        return fail_errno(error.value(), "bind " + path.string());
    const auto account = link_account();
    if (account && ::chown(path.c_str(), static_cast<uid_t>(-1), account->pw_gid) != 0)
        return fail_errno(errno, "chown " + path.string());
    if (::chmod(path.c_str(), account ? 0660 : 0600) != 0)
        return fail_errno(errno, "chmod " + path.string());
    acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error)
        return fail_errno(error.value(), "listen on " + path.string());
    return {};
}

Result<> check_link_peer(int socket) {
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
        return fail_errno(errno, "link.sock: SO_PEERCRED");
    if (peer.uid == 0 || peer.uid == ::geteuid())
        return {};
    const auto account = link_account();
    if (account && peer.uid == account->pw_uid)
        return {};
    return fail(
        ErrorKind::refused, "link.sock: process {} of user {} is neither root nor {}", peer.pid,
        peer.uid, link_user);
}

} // namespace longcord
