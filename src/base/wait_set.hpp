// SPDX-License-Identifier: MIT
// "Until any of these descriptors is readable, or it is that late", in one co_await: an epoll
// descriptor that holds the others and a timerfd. One wait with one end needs no cancelling of
// losers, which is where coroutines that wait for several things go wrong.
#pragma once

#include "base/clock.hpp"
#include "base/task.hpp"
#include "base/unique_fd.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

namespace longcord {

class WaitSet {
  public:
    /// Throws std::system_error where there are no more descriptors: that is at start-up.
    explicit WaitSet(asio::io_context& loop);

    /// The descriptor stays the caller's; it is removed before it is closed.
    void add(int fd);
    void remove(int fd) noexcept;

    /// Readiness is a level: what the caller does not read or remove ends the next wait at once. So
    /// does a time that is past.
    Task<> wait(TimePoint until);

  private:
    UniqueFd timer_;
    asio::posix::stream_descriptor set_;
};

} // namespace longcord
