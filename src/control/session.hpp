// SPDX-License-Identifier: MIT
// One client of a control socket, from its connection to its end.
#pragma once

#include "control/server.hpp"

#include <deque>
#include <memory>
#include <string>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

namespace longcord {

class ControlSession : public std::enable_shared_from_this<ControlSession> {
  public:
    using Socket = asio::local::stream_protocol::socket;

    ControlSession(
        Socket socket, std::shared_ptr<const ControlServer::Handler> handler, ControlLimits limits);

    /// Requests and replies, until the client leaves, asks nothing for too long, or subscribes; a
    /// subscriber is served until it leaves.
    Task<> run();

    /// Queues one line for a subscriber of this; "" is the events. Never waits: behind by too much,
    /// it loses all that waits and is told how many.
    void publish(const std::string& what, const std::shared_ptr<const std::string>& line);
    bool reads(const std::string& what) const { return open_ && subscribed_ && what_ == what; }

  private:
    Task<bool> answer(std::string line);
    Task<Result<std::string>> read_line();
    Task<bool> write(std::string line);
    Task<> stream();
    void wait_for_hangup();
    void close_after(milliseconds limit);

    Socket socket_;
    std::shared_ptr<const ControlServer::Handler> handler_;
    ControlLimits limits_;
    Peer peer_;
    asio::steady_timer deadline_;
    asio::steady_timer wake_;
    std::string input_;
    std::string hangup_;
    bool subscribed_ = false;
    std::string what_; ///< it has subscribed to: "" events, else what a serial port says
    bool open_ = true;
    std::deque<std::shared_ptr<const std::string>> waiting_;
    std::uint64_t dropped_ = 0;
};

} // namespace longcord
