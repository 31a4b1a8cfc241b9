// SPDX-License-Identifier: MIT
// The end of a stream is an event: the kernel has its socket, we keep a second descriptor of it,
// and when either side shuts it down that one hangs up. Nothing else wakes us: what is carried must
// not, so these descriptors wait in an epoll of their own that asks for no readiness at all.
#pragma once

#include "base/error.hpp"
#include "base/task.hpp"
#include "base/unique_fd.hpp"

#include <cstdint>
#include <functional>
#include <map>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

namespace longcord {

class StreamWatch {
  public:
    using Ended = std::function<void(std::uint64_t stream)>;

    /// Throws std::system_error where there are no more descriptors: that is at start-up.
    StreamWatch(asio::io_context& loop, Ended ended);

    /// Ends only with the loop.
    Task<> run();

    void add(std::uint64_t stream, UniqueFd socket);
    bool has(std::uint64_t stream) const { return sockets_.contains(stream); }
    /// Shuts it down: the kernel's driver lets go, and the end is told as any other.
    void cut(std::uint64_t stream);

  private:
    asio::posix::stream_descriptor set_;
    Ended ended_;
    std::map<std::uint64_t, UniqueFd> sockets_;
};

} // namespace longcord
