// SPDX-License-Identifier: MIT
#include "qmp/unix_connect.hpp"

#include <cerrno>
#include <cstring>

#include <sys/socket.h>
#include <sys/un.h>

namespace longcord {

Result<UniqueFd> connect_unix(const std::filesystem::path& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string& name = path.native();
    if (name.empty() || name.size() >= sizeof address.sun_path)
        return fail(
            ErrorKind::invalid, "{}: a socket's path has 1 to {} bytes", name,
            sizeof address.sun_path - 1);
    std::memcpy(address.sun_path, name.data(), name.size());
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd)
        return fail_errno(errno, "open a socket for " + name);
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
        return fd;
    if (errno == EAGAIN)
        return fail(ErrorKind::busy, "{}: others are waiting for it already", name);
    return fail_errno(errno, "connect to " + name);
}

int peer_pid(int socket) noexcept {
    ucred peer{};
    socklen_t size = sizeof peer;
    return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.pid : 0;
}

} // namespace longcord
