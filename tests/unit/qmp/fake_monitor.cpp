// SPDX-License-Identifier: MIT
#include "fake_monitor.hpp"

#include "qmp/unix_connect.hpp"

#include <array>
#include <cstdlib>

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace longcord::test {

Folder::Folder() {
    std::string name = std::filesystem::temp_directory_path() / "longcord-qmp-XXXXXX";
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
}

Folder::~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
}

void Peer::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n <= 0)
            return; // the client has left: what it thought of that is asserted on its side
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
}

nlohmann::json Peer::receive() {
    for (;;) {
        const auto value = framer_.next();
        if (!value)
            return nullptr;
        if (*value)
            return nlohmann::json::parse(**value, nullptr, false);
        std::array<char, 4096> chunk;
        const auto n = ::recv(fd_.get(), chunk.data(), chunk.size(), 0);
        if (n <= 0)
            return nullptr;
        framer_.feed({chunk.data(), static_cast<std::size_t>(n)});
    }
}

void Peer::wait_for_end() {
    while (!receive().is_null()) {
    }
}

FakeMonitor::FakeMonitor(std::filesystem::path socket, Script script)
    : listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socket.native().copy(address.sun_path, sizeof address.sun_path - 1);
    REQUIRE(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(listener_.get(), 1) == 0);
    thread_ = std::thread([fd = listener_.get(), script = std::move(script)] {
        UniqueFd client(::accept4(fd, nullptr, nullptr, SOCK_CLOEXEC));
        if (!client)
            return;
        Peer peer(std::move(client));
        script(peer);
    });
}

FakeMonitor::~FakeMonitor() {
    ::shutdown(listener_.get(), SHUT_RDWR); // ends an accept() that nobody came for
    thread_.join();
}

UniqueFd raw_client(const std::filesystem::path& socket) {
    auto fd = connect_unix(socket);
    if (!fd)
        return {};
    ::fcntl(fd->get(), F_SETFL, ::fcntl(fd->get(), F_GETFL) & ~O_NONBLOCK);
    return std::move(*fd);
}

} // namespace longcord::test
