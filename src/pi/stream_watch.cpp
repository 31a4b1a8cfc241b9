// SPDX-License-Identifier: MIT
#include "pi/stream_watch.hpp"

#include <array>
#include <cerrno>
#include <system_error>

#include <spdlog/spdlog.h>

#include <sys/epoll.h>
#include <sys/socket.h>

namespace longcord {

static int new_set() {
    const int fd = ::epoll_create1(EPOLL_CLOEXEC);
    if (fd < 0)
        throw std::system_error(errno, std::generic_category(), "epoll");
    return fd;
}

StreamWatch::StreamWatch(asio::io_context& loop, Ended ended)
    : set_(loop, new_set()), ended_(std::move(ended)) {}

Task<> StreamWatch::run() {
    for (;;) {
        co_await set_.async_wait(asio::posix::stream_descriptor::wait_read, as_value);
        std::array<epoll_event, 16> events{};
        const int count =
            ::epoll_wait(set_.native_handle(), events.data(), static_cast<int>(events.size()), 0);
        for (int i = 0; i < count; ++i) {
            const std::uint64_t stream = events[static_cast<std::size_t>(i)].data.u64;
            sockets_.erase(stream); // closed, and with that out of the set
            ended_(stream);
        }
    }
}

void StreamWatch::add(std::uint64_t stream, UniqueFd socket) {
    epoll_event event{};
    event.events = EPOLLRDHUP; // EPOLLHUP and EPOLLERR are reported in any case (epoll_ctl(2))
    event.data.u64 = stream;
    if (::epoll_ctl(set_.native_handle(), EPOLL_CTL_ADD, socket.get(), &event) != 0)
        spdlog::error("a stream cannot be watched: {}", fail_errno(errno, "epoll_ctl").message);
    sockets_[stream] = std::move(socket);
}

void StreamWatch::cut(std::uint64_t stream) {
    if (const auto found = sockets_.find(stream); found != sockets_.end())
        ::shutdown(found->second.get(), SHUT_RDWR);
}

} // namespace longcord
