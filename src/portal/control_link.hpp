// SPDX-License-Identifier: MIT
// The portal's side of a control socket: one connection for events, one for each question, one for
// each serial port that somebody looks at. The one file of this room that knows where the service
// listens.
#pragma once

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/task.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>
#include <nlohmann/json.hpp>

namespace longcord {

class EventStream;

class ControlLink {
  public:
    /// The service takes 32 clients; the command line wants its share.
    static constexpr std::size_t max_calls = 12;
    /// A service that is away tells nobody when it comes: its socket is tried so often.
    static constexpr milliseconds retry_after{500};
    static constexpr std::size_t history = 200; ///< events that a page begins with

    struct Handler {
        std::function<void(nlohmann::json events)> up; ///< the latest ones
        std::function<void(nlohmann::json event)> event;
        std::function<void()> lagged; ///< events are missing: look at everything
        std::function<void(Error)> down;
    };

    ControlLink(asio::io_context& loop, std::filesystem::path socket, Handler handler)
        : loop_(loop), socket_(std::move(socket)), handler_(std::move(handler)) {}

    /// Follows the events; ends only with the loop.
    Task<> run();
    /// ErrorKind::unavailable: no service there. ::full: too much is asked for already.
    Task<Result<nlohmann::json>> call(std::string verb, nlohmann::json args, milliseconds wait);
    /// What a serial port says goes into `stream` until either ends. An error: it did not begin.
    Task<Result<nlohmann::json>> console(std::string name, std::shared_ptr<EventStream> stream);

  private:
    struct Wire;
    Task<Result<std::shared_ptr<Wire>>> ask(
        std::string verb, nlohmann::json args, milliseconds wait, nlohmann::json& reply);
    Task<Error> follow();
    Task<> pump(std::shared_ptr<Wire> wire, std::shared_ptr<EventStream> stream);

    asio::io_context& loop_;
    std::filesystem::path socket_;
    Handler handler_;
    std::size_t calls_ = 0;
};

} // namespace longcord
