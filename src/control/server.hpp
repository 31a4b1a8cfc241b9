// SPDX-License-Identifier: MIT
// The control socket of a service. Who asks is known from the kernel (SO_PEERCRED) and handed to
// the handler with each request; the handler decides what that user may do. Clients that are slow,
// silent or too many cost bounded memory and never hold the service up.
#pragma once

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/task.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>
#include <nlohmann/json_fwd.hpp>

#include <sys/types.h>

namespace longcord {

struct Peer {
    uid_t uid = static_cast<uid_t>(-1);
    gid_t gid = static_cast<gid_t>(-1);
    pid_t pid = -1;
};

/// Design, section 10. Smaller ones are for tests.
struct ControlLimits {
    std::size_t clients = 32;
    std::size_t backlog = 1'000; ///< events that wait for one subscriber; then it is told `lagged`
    milliseconds idle{60'000};   ///< between requests; a subscriber may be silent for ever
    milliseconds write{10'000};  ///< for a reply to be taken
};

class ControlServer {
  public:
    /// Runs on the loop, one request a client at a time. "subscribe" is not seen here: it arrives
    /// as "events", and if that succeeds the client also gets what is published from then on. After
    /// a "console" that succeeds it gets what the port says that the result calls "name".
    using Handler = std::function<Task<Result<nlohmann::json>>(
        std::string verb, nlohmann::json args, Peer peer)>;

    /// Listens at once, mode 0660; replaces the socket of a service that is gone. Throws
    /// std::runtime_error where another service listens there or the socket cannot be made.
    ControlServer(
        asio::io_context& loop, std::filesystem::path socket, Handler handler,
        ControlLimits limits = {});
    ~ControlServer(); ///< removes the socket
    ControlServer(const ControlServer&) = delete;
    ControlServer& operator=(const ControlServer&) = delete;

    /// Accepts clients; ends only with the loop.
    Task<> run();

    /// To every subscriber.
    void publish(nlohmann::json event);
    /// To whoever reads along at this serial port.
    void publish_bytes(const std::string& name, std::string_view bytes);

  private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

} // namespace longcord
