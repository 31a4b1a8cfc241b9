// SPDX-License-Identifier: MIT
// What goes to one browser without an end (server-sent events): a queue between whoever has news
// and the connection that writes them. A browser that reads too slowly loses its connection, comes
// again by itself, and then gets everything as it is.
#pragma once

#include "base/clock.hpp"
#include "base/task.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace longcord {

using StreamText = std::shared_ptr<const std::string>;

/// "event: NAME\ndata: DATA\n\n". `data` has no line end: JSON or base64.
StreamText stream_event(std::string_view name, std::string_view data);

class EventStream {
  public:
    static constexpr std::size_t backlog = 4 * 1024 * 1024; ///< bytes that wait
    /// Silence for so long is broken, so that both ends notice when the other one is gone.
    static constexpr milliseconds heartbeat{15'000};

    /// `allowed`: whoever opened it is still logged in.
    EventStream(asio::io_context& loop, std::function<bool()> allowed)
        : wake_(loop), allowed_(std::move(allowed)) {}

    void send(StreamText text);
    void close();
    void close_if_not_allowed() {
        if (!allowed_())
            close();
    }
    bool open() const noexcept { return open_; }
    /// What to write next: news, or the heartbeat. nullptr: it is over.
    Task<StreamText> next();
    /// Is called once, when it is over.
    void on_close(std::function<void()> handle) { on_close_ = std::move(handle); }

  private:
    asio::steady_timer wake_;
    std::function<bool()> allowed_;
    std::function<void()> on_close_;
    std::deque<StreamText> waiting_;
    std::size_t bytes_ = 0;
    bool open_ = true;
};

} // namespace longcord
