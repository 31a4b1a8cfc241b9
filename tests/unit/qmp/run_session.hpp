// SPDX-License-Identifier: MIT
// A session on a loop of its own, to its end or step by step.
#pragma once

#include "qmp/client.hpp"

#include <optional>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

namespace longcord::test {

class RunningSession {
  public:
    RunningSession(
        const std::filesystem::path& socket, std::vector<VmCommand> commands = {},
        SessionLimits limits = {}, Latecomers latecomers = {}) {
        auto done = [this](std::exception_ptr error, SessionReport result) {
            error_ = error;
            report_ = std::move(result);
        };
        asio::co_spawn(
            loop_, run_session(socket, std::move(commands), limits, std::move(latecomers)),
            std::move(done));
    }

    /// Everything that can be done without waiting.
    void poll() { loop_.poll(); }
    void run_for(milliseconds time) { loop_.run_for(time); }
    bool done() const { return report_.has_value(); }
    SessionReport finish() {
        loop_.run();
        if (error_)
            std::rethrow_exception(error_);
        return std::move(report_.value());
    }

  private:
    asio::io_context loop_;
    std::exception_ptr error_;
    std::optional<SessionReport> report_;
};

} // namespace longcord::test
