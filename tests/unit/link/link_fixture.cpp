// SPDX-License-Identifier: MIT
#include "link_fixture.hpp"

#include "base/spawn.hpp"
#include "link/link_socket_file.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <stdexcept>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace longcord {

TemporaryFolder::TemporaryFolder() {
    std::string name = ::geteuid() == 0 ? "/run/longcord-test-XXXXXX" : "/tmp/longcord-test-XXXXXX";
    if (!::mkdtemp(name.data()))
        throw std::runtime_error("mkdtemp " + name);
    path_ = name;
    std::filesystem::permissions(path_, std::filesystem::perms(0755));
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

bool run_until(asio::io_context& loop, const std::function<bool()>& so, milliseconds patience) {
    const TimePoint end = Clock::now() + patience;
    loop.restart();
    while (!so()) {
        if (Clock::now() > end)
            return false;
        loop.run_one_for(milliseconds(10));
        loop.restart();
    }
    return true;
}

/// Says what it heard.
static Task<HostMessage> pair_by_words(Preface preface, std::string line) {
    co_return LinkError{"heard " + line + " from " + preface.pi + " by " + preface.key, true};
}

Service::Service(asio::io_context& loop, const Roots& roots, milliseconds dead_after)
    : server(
          loop, roots, "pve1",
          {.up = [this](LinkUp up) { ups.push_back(std::move(up)); },
           .message =
               [this](std::string pi, PiMessage m) {
                   messages.emplace_back(std::move(pi), std::move(m));
               },
           .refused =
               [this](std::string pi, Error e) {
                   refused.emplace_back(std::move(pi), std::move(e));
               },
           .down =
               [this](std::string pi, Error e) { downs.emplace_back(std::move(pi), std::move(e)); },
           .pair = pair_by_words},
          [this, dead_after](const std::string& pi) {
              const auto own = dead_after_of.find(pi);
              return own == dead_after_of.end() ? dead_after : own->second;
          }) {
    spawn_guarded(loop, "the server under test", server.run());
    run_until(loop, [&] { return std::filesystem::is_socket(link_socket_path(roots)); });
}

std::size_t Service::messages_of(const std::string& pi) const {
    std::size_t n = 0;
    for (const auto& [from, message] : messages)
        n += from == pi;
    return n;
}

Peer::Peer(asio::io_context&, const Roots& roots) {
    fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    link_socket_path(roots).string().copy(address.sun_path, sizeof address.sun_path - 1);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        throw std::runtime_error("connect to link.sock");
    ::fcntl(fd, F_SETFL, O_NONBLOCK);
}

Peer::Peer(asio::io_context& loop, const Roots& roots, const Preface& preface) : Peer(loop, roots) {
    send(format(preface) + '\n');
}

Peer::~Peer() {
    ::close(fd);
}

void Peer::send(const std::string& bytes) {
    if (::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size()))
        throw std::runtime_error("the server does not read, or has hung up");
}

void Peer::read() {
    std::array<char, 65536> chunk;
    for (;;) {
        const ssize_t n = ::recv(fd, chunk.data(), chunk.size(), 0);
        if (n > 0)
            received.append(chunk.data(), static_cast<std::size_t>(n));
        else {
            closed = closed || n == 0 || (errno != EAGAIN && errno != EINTR);
            return;
        }
    }
}

} // namespace longcord
