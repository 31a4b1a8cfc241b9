// SPDX-License-Identifier: MIT
#include "base/spawn.hpp"

#include <exception>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <spdlog/spdlog.h>

namespace longcord {

static bool failed = false;

void spawn_guarded(asio::io_context& loop, std::string name, Task<> task) {
    auto done = [&loop, name = std::move(name)](const std::exception_ptr& error) {
        if (!error)
            return;
        try {
            std::rethrow_exception(error);
        } catch (const std::exception& e) {
            spdlog::critical("{} failed: {}; the service restarts", name, e.what());
        } catch (...) {
            spdlog::critical("{} failed; the service restarts", name);
        }
        failed = true;
        loop.stop();
    };
    asio::co_spawn(loop, std::move(task), std::move(done));
}

bool guarded_task_failed() noexcept {
    return failed;
}

Task<> sleep_for(std::chrono::milliseconds duration) {
    auto executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor, duration);
    co_await timer.async_wait(as_value);
}

} // namespace longcord
