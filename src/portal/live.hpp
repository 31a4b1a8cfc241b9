// SPDX-License-Identifier: MIT
// Everything as it is, to every page that is open, as soon as it changes: an event of the service
// goes on at once, and right behind it what `status` says now. However many events come, one status
// is asked for at a time.
#pragma once

#include "portal/control_link.hpp"
#include "portal/event_stream.hpp"

#include <list>

namespace longcord {

class Live {
  public:
    static constexpr std::size_t max_streams = 16; ///< design, section 10; consoles count too
    /// Round-trip times and ages make no events; asked for while somebody looks.
    static constexpr milliseconds look_again{5'000};
    /// Events that come together lead to one look.
    static constexpr milliseconds gather{20};

    Live(asio::io_context& loop, std::filesystem::path socket);

    /// Both end only with the loop.
    Task<> run() { return link_.run(); }
    Task<> watch();

    ControlLink& link() { return link_; }
    /// ErrorKind::full: as many as there may be are open.
    Result<std::shared_ptr<EventStream>> open(std::function<bool()> allowed);
    /// It hears everything from now on, and first how things are.
    void join(const std::shared_ptr<EventStream>& stream);
    /// Those whose session is over.
    void close_those_not_allowed();

  private:
    void tell(const StreamText& text);
    void look_soon();
    void down(const Error& why);
    void drop_closed();

    asio::io_context& loop_;
    ControlLink link_;
    asio::steady_timer wake_;
    bool changed_ = false;
    std::list<std::shared_ptr<EventStream>> streams_; ///< with consoles
    std::list<std::shared_ptr<EventStream>> pages_;
    std::deque<nlohmann::json> events_; ///< the latest, oldest first
    StreamText status_;
    StreamText problem_; ///< the service is away
};

} // namespace longcord
