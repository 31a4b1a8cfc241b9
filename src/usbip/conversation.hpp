// SPDX-License-Identifier: MIT
// A stream socket with a deadline, for the few messages before the kernel owns it: whatever is
// under way at the deadline ends with ErrorKind::timeout. Reads are exact: what follows a message
// stays in the socket, since it is the kernel's.
#pragma once

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/task.hpp"
#include "base/unique_fd.hpp"

#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

namespace longcord {

class Conversation : public std::enable_shared_from_this<Conversation> {
  public:
    explicit Conversation(const asio::any_io_executor& executor)
        : socket_(executor), timer_(executor) {}

    /// Once, before anything else; it must be held by shared_ptr.
    void start_deadline(milliseconds deadline);

    /// Keepalive and the like are set before (usbip/stream_options.hpp).
    Task<Result<>> connect(asio::ip::tcp::endpoint server);
    /// A connected socket, TCP or a local one.
    Result<> take(UniqueFd socket);

    Task<Result<>> write(std::string bytes);
    /// `size` bytes of an answer of which `before` are read.
    Task<Result<std::string>> read_exactly(std::size_t before, std::size_t size);

    /// The socket in blocking mode, as the kernel's threads want it. The conversation is over.
    Result<UniqueFd> release();

  private:
    Error lost(const boost::system::error_code& error, const char* doing) const;
    Error answer_lost(
        const boost::system::error_code& error, std::size_t had, std::size_t wanted) const;

    asio::generic::stream_protocol::socket socket_;
    asio::steady_timer timer_;
    bool expired_ = false;
};

} // namespace longcord
