// SPDX-License-Identifier: MIT
// The other end of a control socket, for the command line: blocking, and every wait has a bound.
#pragma once

#include "base/clock.hpp"
#include "base/unique_fd.hpp"
#include "control/protocol.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace longcord {

class ControlClient {
  public:
    /// Longer than a service may take that asks a Pi and a VM first.
    static constexpr milliseconds standard_wait{15'000};

    /// ErrorKind::not_found: no service listens there. ErrorKind::refused: not for this user.
    static Result<ControlClient> connect(const std::filesystem::path& socket);

    /// One request and its reply. ErrorKind::timeout: none in time; ::unavailable: the service went
    /// away; otherwise what the service said.
    Result<nlohmann::json> call(
        std::string_view verb, const nlohmann::json& args, milliseconds wait = standard_wait);

    /// Sends a request whose reply is waited for with wait_reply().
    Result<> ask(std::string_view verb, const nlohmann::json& args);
    /// Until `events` has something to be read with next() (false), or the reply is there (true).
    /// ErrorKind::timeout after `wait`.
    Result<bool> wait_beside(ControlClient& events, milliseconds wait);
    Result<nlohmann::json> reply();

    /// The next of a stream (an event or lagged), however long it takes, or until `until`
    /// (ErrorKind::timeout). ErrorKind::unavailable: the service ended.
    Result<ControlMessage> next(std::optional<TimePoint> until = std::nullopt);

  private:
    explicit ControlClient(UniqueFd socket) : socket_(std::move(socket)) {}
    Result<> send(std::string_view text, TimePoint until);
    Result<nlohmann::json> read_reply(TimePoint until);
    Result<std::string> read_line(std::optional<TimePoint> until);

    UniqueFd socket_;
    std::string input_;
};

} // namespace longcord
