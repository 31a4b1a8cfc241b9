// SPDX-License-Identifier: MIT
#include "base/wait_set.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <sys/epoll.h>
#include <sys/timerfd.h>

namespace longcord {

static int checked(int result, const char* call) {
    if (result < 0)
        throw std::system_error(errno, std::generic_category(), call);
    return result;
}

WaitSet::WaitSet(asio::io_context& loop)
    : timer_(checked(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), "timerfd")),
      set_(loop, checked(::epoll_create1(EPOLL_CLOEXEC), "epoll")) {
    add(timer_.get());
}

void WaitSet::add(int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    checked(::epoll_ctl(set_.native_handle(), EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

void WaitSet::remove(int fd) noexcept {
    ::epoll_ctl(set_.native_handle(), EPOLL_CTL_DEL, fd, nullptr);
}

Task<> WaitSet::wait(TimePoint until) {
    // Setting the timer also takes back an earlier expiry. Zero would disarm it.
    const auto time = std::max(until.time_since_epoch(), Clock::duration(1));
    const auto whole = std::chrono::floor<seconds>(time);
    itimerspec once{};
    once.it_value.tv_sec = whole.count();
    once.it_value.tv_nsec = std::chrono::nanoseconds(time - whole).count();
    // Clock is CLOCK_MONOTONIC; to the nanosecond, so that it goes off together with others.
    ::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &once, nullptr);
    co_await set_.async_wait(asio::posix::stream_descriptor::wait_read, as_value);
}

} // namespace longcord
