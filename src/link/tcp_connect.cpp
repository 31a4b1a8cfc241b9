// SPDX-License-Identifier: MIT
#include "link/tcp_connect.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <memory>
#include <system_error>
#include <thread>

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace longcord {

namespace {

struct FreeAddresses {
    void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

int left(TimePoint deadline) {
    const auto rest = std::chrono::ceil<milliseconds>(deadline - Clock::now()).count();
    return static_cast<int>(std::max<milliseconds::rep>(rest, 0));
}

/// True once `fd` has one of `events`; false at the deadline or when `stop` is readable.
bool wait_for(int fd, short events, int stop, TimePoint deadline) {
    std::array<pollfd, 2> fds{{{fd, events, 0}, {stop, POLLIN, 0}}};
    while (::poll(fds.data(), fds.size(), left(deadline)) < 0 && errno == EINTR) {
    }
    return fds[1].revents == 0 && fds[0].revents != 0;
}

/// getaddrinfo cannot be interrupted, so it gets a thread that may outlive the wait.
struct Lookup {
    UniqueFd done{::eventfd(0, EFD_CLOEXEC)};
    int status = 0;
    Addresses addresses;
};

Result<Addresses> look_up(const std::string& host, unsigned port, int stop, TimePoint deadline) {
    auto lookup = std::make_shared<Lookup>();
    std::thread([lookup, host, service = std::to_string(port)] {
        addrinfo hints{};
        hints.ai_socktype = SOCK_STREAM;
        hints.ai_flags = AI_NUMERICSERV | AI_ADDRCONFIG;
        addrinfo* list = nullptr;
        lookup->status = ::getaddrinfo(host.c_str(), service.c_str(), &hints, &list);
        lookup->addresses.reset(list);
        ::eventfd_write(lookup->done.get(), 1);
    }).detach();
    if (!wait_for(lookup->done.get(), POLLIN, stop, deadline))
        return fail(ErrorKind::timeout, "{}: the name was not found in time", host);
    // Waiting for it orders nothing; reading it orders the other thread's writes before this.
    eventfd_t count = 0;
    ::eventfd_read(lookup->done.get(), &count);
    if (lookup->status != 0)
        return fail(ErrorKind::unavailable, "{}: {}", host, ::gai_strerror(lookup->status));
    return std::move(lookup->addresses);
}

/// A peer that is gone is noticed in 3 s, whether data is under way or not (tcp(7)).
void set_options(int fd) {
    const auto set = [fd](int level, int name, int value) {
        ::setsockopt(fd, level, name, &value, sizeof value); // at worst it is noticed later
    };
    set(IPPROTO_TCP, TCP_NODELAY, 1);
    set(SOL_SOCKET, SO_KEEPALIVE, 1);
    set(IPPROTO_TCP, TCP_KEEPIDLE, 1);
    set(IPPROTO_TCP, TCP_KEEPINTVL, 1);
    set(IPPROTO_TCP, TCP_KEEPCNT, 3);
    set(IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(tcp_user_timeout.count()));
}

Result<UniqueFd> connect_one(const addrinfo& address, int stop, TimePoint deadline) {
    UniqueFd fd(::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd)
        return fail_errno(errno, "socket");
    set_options(fd.get());
    int error = ::connect(fd.get(), address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno;
    if (error == EINPROGRESS) {
        error = ETIMEDOUT;
        socklen_t size = sizeof error;
        if (wait_for(fd.get(), POLLOUT, stop, deadline))
            ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    }
    if (error != 0)
        return fail_errno(error, "connect");
    return fd;
}

} // namespace

Result<std::vector<std::string>> find_addresses(const std::string& host, unsigned port) {
    const UniqueFd never(::eventfd(0, EFD_CLOEXEC));
    const auto found = look_up(host, port, never.get(), Clock::now() + tcp_connect_deadline);
    if (!found)
        return found.error();
    std::vector<std::string> all;
    for (const addrinfo* a = found->get(); a; a = a->ai_next) {
        char text[NI_MAXHOST] = {};
        if (::getnameinfo(
                a->ai_addr, a->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) == 0 &&
            std::ranges::find(all, text) == all.end())
            all.emplace_back(text);
    }
    return all;
}

Result<UniqueFd> connect_tcp(const std::string& host, unsigned port, int stop) {
    const TimePoint deadline = Clock::now() + tcp_connect_deadline;
    const auto addresses = look_up(host, port, stop, deadline);
    if (!addresses)
        return addresses.error();
    std::ptrdiff_t remaining = 0;
    for (const addrinfo* a = addresses->get(); a; a = a->ai_next)
        ++remaining;
    Error last = fail(ErrorKind::unavailable, "no address");
    for (const addrinfo* a = addresses->get(); a; a = a->ai_next) {
        const TimePoint now = Clock::now();
        auto fd = connect_one(*a, stop, now + (deadline - now) / remaining--);
        if (fd)
            return fd;
        last = fd.error();
    }
    return fail(last.kind, "{} port {}: {}", host, port, last.message);
}

} // namespace longcord
