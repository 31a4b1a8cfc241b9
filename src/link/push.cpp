// SPDX-License-Identifier: MIT
#include "link/push.hpp"

#include "base/unique_fd.hpp"
#include "link/line_framer.hpp"
#include "link/message.hpp"
#include "link/push_command.hpp"

#include <array>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <thread>

#include <fmt/core.h>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace longcord {

namespace {

constexpr milliseconds connect_pause{200};

UniqueFd connect_to(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
    const auto limit = Clock::now() + push_connect_limit;
    for (;;) {
        UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0)
            return socket;
        if (Clock::now() >= limit)
            return {};
        std::this_thread::sleep_for(connect_pause);
    }
}

/// The first line that comes; nullopt: none in time.
std::optional<std::string> read_line(int socket) {
    LineFramer framer(max_link_line);
    std::array<char, 4096> chunk;
    const auto limit = Clock::now() + push_answer_limit;
    for (;;) {
        const auto left = std::chrono::ceil<milliseconds>(limit - Clock::now());
        pollfd wait{socket, POLLIN, 0};
        if (left.count() <= 0 || ::poll(&wait, 1, static_cast<int>(left.count())) != 1)
            return std::nullopt;
        const ssize_t got = ::read(socket, chunk.data(), chunk.size());
        if (got <= 0)
            return std::nullopt;
        framer.push({chunk.data(), static_cast<std::size_t>(got)});
        if (auto line = framer.next())
            return line->text;
    }
}

int failed(const std::string& why) {
    fmt::print(stderr, "{}\n", why);
    return 1;
}

} // namespace

int push(const std::filesystem::path& socket, const Preface& preface) {
    // Said here where it can be: the service is not bothered with what is no command.
    if (const auto command = parse_push_command(preface.command); !command)
        return failed(command.error().message);
    const UniqueFd service = connect_to(socket.string());
    if (!service)
        return failed("longcord-host does not run on this node: systemctl status longcord-host");
    const std::string line = format(preface) + '\n';
    if (::send(service.get(), line.data(), line.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(line.size()))
        return failed("longcord-host went away");
    const auto reply = read_line(service.get());
    const auto message = parse_host_message(reply.value_or(""));
    if (message)
        if (const auto* error = std::get_if<LinkError>(&*message))
            return failed(error->message);
    const auto* done = message ? std::get_if<Done>(&*message) : nullptr;
    if (!done)
        return failed("longcord-host gave no answer: longcord status on the node tells more");
    if (!done->ok)
        return failed(done->message);
    fmt::print("{}\n", done->message);
    std::fflush(stdout);
    return 0;
}

} // namespace longcord
