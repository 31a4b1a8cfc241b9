// SPDX-License-Identifier: MIT
// A Pi's link to one node: keeps an SSH session up, with back-off, and turns its lines into
// messages. Pings are answered here. Linked means more than logged in: the node's service speaks.
// While that service is stopped or restarting, the SSH session stays, and the link comes back with
// a welcome.
#pragma once

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/task.hpp"
#include "link/line_socket.hpp"
#include "link/message.hpp"
#include "link/reconnect_delay.hpp"
#include "link/ssh_session.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace longcord {

class LinkClient {
  public:
    /// The node pings every second; after this silence its service is not there.
    static constexpr milliseconds silent_after{5000};

    struct Handler {
        std::function<void()> up;
        /// welcome (answer it with hello and devices, each time), state, error.
        std::function<void(HostMessage)> message;
        /// The link is down, or another attempt to make it has failed.
        std::function<void(Error)> down;
    };

    LinkClient(asio::io_context& loop, LinkTarget target, Handler handler);
    /// Ends the session. A run() under way ends by itself.
    ~LinkClient();
    LinkClient(const LinkClient&) = delete;
    LinkClient& operator=(const LinkClient&) = delete;

    Task<> run();
    /// Dropped where there is no session: the next welcome asks for everything anew.
    void send(PiMessage message);
    bool linked() const noexcept { return linked_; }
    /// Ends the pause before the next attempt, if there is one now.
    void retry_now() { pause_.cancel(); }
    /// When the node's service said something last.
    TimePoint heard_at() const noexcept { return heard_at_; }
    /// None while it is not linked.
    std::optional<TimePoint> linked_since() const;
    std::optional<std::chrono::microseconds> round_trip() const;
    /// The node's address in this session; empty: there is none.
    std::string peer() const;
    /// For people; empty while all is well.
    std::string last_problem() const;

  private:
    Task<> keep_linked(std::shared_ptr<bool> gone);
    Task<Error> talk();
    void take(const LineFramer::Line& line);
    void take(HostMessage message);
    void watch_silence();
    void mark_down(Error why);

    asio::io_context& loop_;
    LinkTarget target_;
    Handler handler_;
    ReconnectDelay delay_;
    asio::steady_timer silence_;
    asio::steady_timer pause_; ///< between two attempts
    std::unique_ptr<SshSession> session_;
    std::shared_ptr<LineSocket> lines_;
    /// Coroutines under way hold it, and stop once it says that this object is gone.
    std::shared_ptr<bool> gone_ = std::make_shared<bool>(false);
    bool linked_ = false;
    TimePoint heard_at_{};
    TimePoint since_{};
    std::string said_; ///< the node's last error message in this session
    std::string problem_;
};

} // namespace longcord
