// SPDX-License-Identifier: MIT
// The user-space engine: carries bytes between a socketpair, whose other end the kernel's USB/IP
// gets, and the TCP connection, sealing one way and opening the other. It has a thread of its own,
// so that a bulk transfer never delays the service's loop; within it each stream moves one buffer
// at a time, so none waits long for another. When either side ends, so does the other.
#pragma once

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "seal/stream_secret.hpp"

#include <functional>
#include <memory>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

namespace longcord {

class RelayThread {
  public:
    RelayThread();
    /// Ends every stream it carries.
    ~RelayThread();
    RelayThread(const RelayThread&) = delete;
    RelayThread& operator=(const RelayThread&) = delete;

    struct Ends {
        /// Where one side has said that it sends no more, the other is told so and may finish for
        /// as long; zero: both end at once.
        milliseconds linger{0};
        /// Both have ended. On the relay's thread.
        std::function<void()> over{};
    };
    /// Takes both sockets, TCP or local ones. From any thread.
    void carry(
        UniqueFd clear, UniqueFd wire, const SealKey& send, const SealKey& receive, Ends ends);

  private:
    boost::asio::io_context loop_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    std::thread thread_;
};

} // namespace longcord
