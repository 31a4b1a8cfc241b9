// SPDX-License-Identifier: MIT
#include "pi/port_owner.hpp"

#include "base/files.hpp"
#include "base/text.hpp"

#include <set>
#include <sstream>

namespace longcord {

namespace fs = std::filesystem;

static constexpr std::size_t max_table = 4 * 1024 * 1024;
static constexpr const char* listening = "0A"; // TCP_LISTEN (include/net/tcp_states.h)

/// "socket:[12345]" of everybody who listens there (Documentation/networking/proc_net_tcp.rst).
static std::set<std::string> listening_sockets(const fs::path& table, std::uint16_t port) {
    std::set<std::string> sockets;
    const auto text = read_file(table, max_table);
    if (!text)
        return sockets;
    std::istringstream lines(*text);
    std::string line;
    std::getline(lines, line); // the heading
    while (std::getline(lines, line)) {
        std::istringstream words(line);
        std::string number, local, remote, state, queues, timer, retransmits, user, timeout, inode;
        words >> number >> local >> remote >> state >> queues >> timer >> retransmits >> user >>
            timeout >> inode;
        const auto colon = local.find(':');
        if (colon == std::string::npos || state != listening)
            continue;
        if (parse_hex(std::string_view(local).substr(colon + 1), 0xffff) == port)
            sockets.insert("socket:[" + inode + "]");
    }
    return sockets;
}

static bool has_one_of(const fs::path& process, const std::set<std::string>& sockets) {
    std::error_code error;
    for (fs::directory_iterator fd(process / "fd", error), end; !error && fd != end;
         fd.increment(error)) {
        std::error_code ignored;
        if (sockets.contains(fs::read_symlink(fd->path(), ignored).string()))
            return true;
    }
    return false;
}

std::optional<std::string> who_listens(const Roots& roots, std::uint16_t port) {
    auto sockets = listening_sockets(roots.proc() / "net/tcp", port);
    sockets.merge(listening_sockets(roots.proc() / "net/tcp6", port));
    if (sockets.empty())
        return std::nullopt;
    std::error_code error;
    for (fs::directory_iterator process(roots.proc(), error), end; !error && process != end;
         process.increment(error)) {
        const auto pid = process->path().filename().string();
        if (!parse_decimal(pid) || !has_one_of(process->path(), sockets))
            continue;
        const auto name = read_attribute(process->path() / "comm");
        return fmt::format("{} (pid {})", name ? printable(*name) : "a process", pid);
    }
    return std::nullopt;
}

} // namespace longcord
