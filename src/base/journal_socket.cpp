// SPDX-License-Identifier: MIT
#include "base/journal_socket.hpp"

#include <cstdint>
#include <cstring>

#include <fmt/core.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace longcord {

void add_journal_field(std::string& entry, std::string_view name, std::string_view value) {
    entry += name;
    if (value.find('\n') == std::string_view::npos) {
        entry += '=';
    } else {
        entry += '\n';
        for (unsigned byte = 0; byte < sizeof(std::uint64_t); ++byte)
            entry += static_cast<char>(static_cast<std::uint64_t>(value.size()) >> (8 * byte));
    }
    entry += value;
    entry += '\n';
}

bool stderr_is_journal(std::string_view journal_stream) {
    struct stat file {};
    return ::fstat(STDERR_FILENO, &file) == 0 &&
           journal_stream == fmt::format("{}:{}", file.st_dev, file.st_ino);
}

JournalSocket::JournalSocket(std::filesystem::path path)
    : path_(std::move(path)), socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {}

bool JournalSocket::send(std::string_view entry) const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string& path = path_.native();
    if (path.size() >= sizeof address.sun_path)
        return false;
    std::memcpy(address.sun_path, path.data(), path.size());
    return ::sendto(
               socket_.get(), entry.data(), entry.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
               reinterpret_cast<const sockaddr*>(&address), // NOLINT: the interface of sendto(2)
               sizeof address) == static_cast<ssize_t>(entry.size());
}

} // namespace longcord
