// SPDX-License-Identifier: MIT
// inotify(7) for the loop. The kernel's queue is finite: after an overflow nothing is known about
// what was lost, so every user must be able to look at the whole again. An event is therefore best
// taken as "look", not as the news itself.
#pragma once

#include "base/error.hpp"
#include "base/task.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <sys/inotify.h>

namespace longcord {

struct InotifyEvent {
    int watch = -1;         ///< what watch() returned; -1 for an overflow
    std::uint32_t mask = 0; ///< IN_CREATE, IN_CLOSE_WRITE, ...
    std::string name;       ///< the entry of a watched directory; empty: the watched thing itself

    /// Events were lost: look at everything again.
    bool overflow() const noexcept { return (mask & IN_Q_OVERFLOW) != 0; }
};

/// Watches a file or directory; symlinks are followed unless `mask` has IN_DONT_FOLLOW. The same
/// inode has one watch: watching it again returns the same number with the new mask. This form is
/// for a worker's thread with a duplicate of fd(), because a lookup in /etc/pve can block.
Result<int> add_watch(int inotify, const std::filesystem::path& path, std::uint32_t mask);

class Inotify {
  public:
    /// Throws std::system_error where the kernel has no more instances: that is at start-up.
    explicit Inotify(asio::io_context& loop);

    Result<int> watch(const std::filesystem::path& path, std::uint32_t mask) const {
        return add_watch(fd_, path, mask);
    }
    /// Unknown and vanished watches are fine. Events already queued are still delivered.
    void forget(int watch) const noexcept;

    /// Waits until there is at least one event.
    Task<std::vector<InotifyEvent>> next();
    /// What is queued now, without waiting; for those who wait by a WaitSet on fd().
    std::vector<InotifyEvent> take();
    int fd() const noexcept { return fd_; }

  private:
    int fd_; ///< owned by descriptor_
    asio::posix::stream_descriptor descriptor_;
};

} // namespace longcord
