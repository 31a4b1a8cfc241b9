// SPDX-License-Identifier: MIT
// The only way to start a coroutine that nobody awaits. An exception that leaves it is a bug: it is
// logged with the coroutine's name, and the loop stops, so that systemd starts the service anew
// from what QEMU, the kernel and the links say.
#pragma once

#include "base/task.hpp"

#include <string>

#include <boost/asio/io_context.hpp>

namespace longcord {

void spawn_guarded(asio::io_context& loop, std::string name, Task<> task);

/// True once a guarded coroutine has failed: main() then exits non-zero.
bool guarded_task_failed() noexcept;

/// Suspends the calling coroutine.
Task<> sleep_for(std::chrono::milliseconds duration);

} // namespace longcord
