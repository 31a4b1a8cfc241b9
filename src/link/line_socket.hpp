// SPDX-License-Identifier: MIT
// A unix stream socket that carries lines. Both directions are bounded: a line by max_link_line,
// what the peer has not read yet by max_queued; a peer that goes beyond that is cut off.
#pragma once

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/task.hpp"
#include "link/line_framer.hpp"
#include "link/message.hpp"

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/local/stream_protocol.hpp>

namespace longcord {

/// Held by shared_ptr: a write under way keeps it alive.
class LineSocket : public std::enable_shared_from_this<LineSocket> {
  public:
    using Socket = asio::local::stream_protocol::socket;
    static constexpr std::size_t max_queued = 1024 * 1024;

    explicit LineSocket(Socket socket) : socket_(std::move(socket)) {}

    /// The next line; ErrorKind::unavailable once the peer has gone or close() was called. One
    /// reader at a time.
    Task<Result<LineFramer::Line>> read_line();

    /// Queues the line and its newline. False where it is not sent: closed, or more than max_queued
    /// would wait, which closes the socket.
    bool send(std::string_view line);
    void close();
    /// Closes once everything queued is sent.
    void close_when_sent();

    bool is_open() const { return socket_.is_open(); }
    bool overflowed() const noexcept { return overflowed_; }
    /// When the latest byte was read.
    TimePoint heard() const noexcept { return heard_; }
    int native_handle() { return socket_.native_handle(); }

  private:
    void write_queue();

    Socket socket_;
    LineFramer framer_{max_link_line};
    std::array<char, 16 * 1024> chunk_;
    TimePoint heard_ = Clock::now();
    std::string queue_;
    std::string sending_;
    bool writing_ = false;
    bool closing_ = false;
    bool overflowed_ = false;
};

} // namespace longcord
