// SPDX-License-Identifier: MIT
#include "control/client.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace longcord {

Result<ControlClient> ControlClient::connect(const std::filesystem::path& socket) {
    const std::string doing = "connect to " + socket.string();
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (socket.native().size() >= sizeof address.sun_path)
        return fail_errno(ENAMETOOLONG, doing);
    std::memcpy(address.sun_path, socket.c_str(), socket.native().size());
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd)
        return fail_errno(errno, doing);
    // A listening unix socket takes or refuses a connection at once, unless its queue is full: then
    // this bounds the wait.
    const timeval patience{2, 0};
    setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): what connect(2) takes
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
        return ControlClient(std::move(fd));
    if (errno == ECONNREFUSED || errno == ENOENT || errno == ENOTDIR)
        return fail(ErrorKind::not_found, "{}: no service listens there", doing);
    if (errno == EAGAIN)
        return fail(ErrorKind::timeout, "{}: the service does not take the connection", doing);
    return fail_errno(errno, doing);
}

/// False: the time is over.
static Result<bool> wait_for(int fd, short what, std::optional<TimePoint> until) {
    while (true) {
        int patience = -1;
        if (until) {
            const auto left = std::chrono::ceil<milliseconds>(*until - Clock::now());
            patience = static_cast<int>(std::max<milliseconds::rep>(0, left.count()));
        }
        pollfd poll_fd{fd, what, 0};
        const int ready = poll(&poll_fd, 1, patience);
        if (ready >= 0)
            return ready > 0;
        if (errno != EINTR)
            return fail_errno(errno, "wait for the service");
    }
}

static Error too_late() {
    return fail(
        ErrorKind::timeout, "the service does not answer; its log may say why "
                            "(journalctl -u 'longcord-*')");
}

static Error gone() {
    return fail(ErrorKind::unavailable, "the service closed the connection without an answer");
}

Result<> ControlClient::send(std::string_view text, TimePoint until) {
    while (!text.empty()) {
        const auto ready = wait_for(socket_.get(), POLLOUT, until);
        if (!ready)
            return ready.error();
        if (!*ready)
            return too_late();
        const ssize_t sent =
            ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent > 0)
            text.remove_prefix(static_cast<std::size_t>(sent));
        else if (errno == EPIPE || errno == ECONNRESET)
            return {}; // what it said before it closed can still be read
        else if (errno != EAGAIN && errno != EINTR)
            return fail_errno(errno, "ask the service");
    }
    return {};
}

Result<std::string> ControlClient::read_line(std::optional<TimePoint> until) {
    std::size_t searched = 0;
    while (true) {
        const auto end = input_.find('\n', searched);
        if (end != std::string::npos) {
            std::string line = input_.substr(0, end);
            input_.erase(0, end + 1);
            return line;
        }
        searched = input_.size();
        if (searched > max_control_reply)
            return fail(ErrorKind::protocol, "the service's answer is endless");
        const auto ready = wait_for(socket_.get(), POLLIN, until);
        if (!ready)
            return ready.error();
        if (!*ready)
            return too_late();
        std::array<char, 64 * 1024> chunk; // NOLINT(cppcoreguidelines-pro-type-member-init)
        const ssize_t got = recv(socket_.get(), chunk.data(), chunk.size(), MSG_DONTWAIT);
        if (got > 0)
            input_.append(chunk.data(), static_cast<std::size_t>(got));
        else if (got == 0 || errno == ECONNRESET)
            return gone();
        else if (errno != EAGAIN && errno != EINTR)
            return fail_errno(errno, "listen to the service");
    }
}

Result<> ControlClient::ask(std::string_view verb, const nlohmann::json& args) {
    return send(format_request(verb, args) + "\n", Clock::now() + standard_wait);
}

Result<bool> ControlClient::wait_beside(ControlClient& events, milliseconds wait) {
    const TimePoint until = Clock::now() + wait;
    for (;;) {
        if (events.input_.find('\n') != std::string::npos)
            return false;
        const auto left = std::chrono::ceil<milliseconds>(until - Clock::now());
        if (left <= milliseconds(0))
            return too_late();
        std::array<pollfd, 2> fds{{{socket_.get(), POLLIN, 0}, {events.socket_.get(), POLLIN, 0}}};
        if (poll(fds.data(), fds.size(), static_cast<int>(left.count())) < 0 && errno != EINTR)
            return fail_errno(errno, "wait for the service");
        // Events first: what was said before the end is shown before it.
        if (fds[1].revents != 0)
            return false;
        if (fds[0].revents != 0)
            return true;
    }
}

Result<nlohmann::json> ControlClient::reply() {
    return read_reply(Clock::now() + standard_wait);
}

Result<nlohmann::json> ControlClient::call(
    std::string_view verb, const nlohmann::json& args, milliseconds wait) {
    const TimePoint until = Clock::now() + wait;
    if (const auto sent = send(format_request(verb, args) + "\n", until); !sent)
        return sent.error();
    return read_reply(until);
}

Result<nlohmann::json> ControlClient::read_reply(TimePoint until) {
    const auto line = read_line(until);
    if (!line)
        return line.error();
    const auto message = parse_message(*line);
    if (!message)
        return message.error();
    if (message->kind != ControlMessage::Kind::reply)
        return fail(ErrorKind::protocol, "the service answered with an event nobody asked for");
    return message->reply;
}

Result<ControlMessage> ControlClient::next(std::optional<TimePoint> until) {
    const auto line = read_line(until);
    if (!line)
        return line.error();
    auto message = parse_message(*line);
    if (message && message->kind == ControlMessage::Kind::reply)
        return fail(ErrorKind::protocol, "the service answered a request nobody made");
    return message;
}

} // namespace longcord
