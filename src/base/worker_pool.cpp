// SPDX-License-Identifier: MIT
#include "base/worker_pool.hpp"

namespace longcord {

WorkerPool::~WorkerPool() {
    // asio::thread_pool joins in its destructor; jobs that were not begun are dropped here, and the
    // few that run are bounded by the kernel's own USB time-outs (5 s).
    pool_.stop();
}

} // namespace longcord
