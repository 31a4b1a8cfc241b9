// SPDX-License-Identifier: MIT
// What was asked of Pis with `open` and is not answered yet. An answer comes within milliseconds
// or, from a Pi that is gone, never; so every wait has a bound.
#pragma once

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/task.hpp"
#include "link/message.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace longcord {

class OpenRequests {
  public:
    static constexpr milliseconds answer_limit{2'000};

    struct Request {
        explicit Request(asio::io_context& loop) : timer(loop) {}
        std::uint64_t n = 0;
        std::string pi;
        std::string what;           ///< "workbench/1-1.2", for messages
        std::optional<Place> place; ///< of a device; none: it is about a serial port
        asio::steady_timer timer;
        std::optional<Result<>> answer;
    };
    using RequestPtr = std::shared_ptr<Request>;
    using Send = std::function<void(const std::string& pi, HostMessage)>;

    explicit OpenRequests(asio::io_context& loop) : loop_(loop) {}
    /// Where `open` goes; before the first ask().
    void send_with(Send send) { send_ = std::move(send); }

    /// Says `open` for this place. The answer is waited for apart, so that the connection can be
    /// made meanwhile.
    RequestPtr ask(const Place& place, unsigned vmid, const StreamSecret& secret);
    /// The same for a serial port of that Pi, and the client that wants it.
    RequestPtr ask_serial(
        const std::string& pi, const std::string& port, const std::string& client,
        const StreamSecret& secret);
    /// Success: the Pi expects the stream. busy, refused: as the Pi says; timeout: it says nothing.
    Task<Result<>> answer(RequestPtr request);
    /// The node has let go, or will not come.
    void close(const Place& place);

    /// Answers, as they come in; the place of the question that `n` was, if it is still asked and
    /// was about a device.
    std::optional<Place> opened(const std::string& pi, const Opened& message);
    std::optional<Place> refused(const std::string& pi, const OpenRefused& message);
    std::optional<Place> busy(const std::string& pi, const Busy& message);
    /// No answer will come from there.
    void lost(const std::string& pi);

  private:
    RequestPtr begin(const std::string& pi, std::string what);
    std::optional<Place> settle(const std::string& pi, std::uint64_t n, Result<> answer);

    asio::io_context& loop_;
    Send send_;
    std::uint64_t last_ = 0;
    std::map<std::uint64_t, RequestPtr> waiting_;
};

/// "node pve2 has it for VM 101": as people read it.
std::string busy_text(const Busy& message);

} // namespace longcord
