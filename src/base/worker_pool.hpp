// SPDX-License-Identifier: MIT
// Some system calls do USB I/O over the network (writes to `authorized`, `bind`, `attach`) or can
// block for long (/etc/pve): they run here, never on the loop. One job a key at a time, each with a
// deadline. A job cannot be interrupted: after its deadline the caller gets ErrorKind::unknown, the
// job goes on by itself, and its key stays busy until it ends.
#pragma once

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/task.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

namespace longcord {

class WorkerPool {
  public:
    static constexpr std::size_t threads = 8;

    explicit WorkerPool(asio::io_context& loop) : loop_(loop), pool_(threads) {}
    /// Does not wait for jobs that hang in the kernel.
    ~WorkerPool();

    /// Must be awaited on the loop. `job` runs on another thread: it may touch only what it owns.
    /// A second job under a key that is in flight is refused with ErrorKind::busy.
    template <class T>
    Task<Result<T>> run(std::string key, milliseconds deadline, std::function<Result<T>()> job);

    bool in_flight(const std::string& key) const { return keys_->contains(key); }

  private:
    template <class T> struct Outcome {
        explicit Outcome(asio::io_context& loop, milliseconds deadline) : timer(loop, deadline) {}
        asio::steady_timer timer;
        std::optional<Result<T>> result;
    };

    asio::io_context& loop_;
    std::shared_ptr<std::set<std::string>> keys_ = std::make_shared<std::set<std::string>>();
    asio::thread_pool pool_;
};

template <class T>
Task<Result<T>> WorkerPool::run(
    std::string key, milliseconds deadline, std::function<Result<T>()> job) {
    if (!keys_->insert(key).second)
        co_return fail(ErrorKind::busy, "{}: the previous operation has not ended yet", key);
    auto outcome = std::make_shared<Outcome<T>>(loop_, deadline);
    auto work = [this_loop = &loop_, keys = keys_, key, outcome, job = std::move(job)]() mutable {
        // The result crosses back to the loop's thread before anybody looks at it.
        auto back = [keys = std::move(keys), key, outcome = std::move(outcome),
                     result = job()]() mutable {
            keys->erase(key);
            outcome->result = std::move(result);
            outcome->timer.cancel();
        };
        asio::post(*this_loop, std::move(back));
    };
    asio::post(pool_, std::move(work));
    co_await outcome->timer.async_wait(as_value);
    if (outcome->result)
        co_return std::move(*outcome->result);
    co_return fail(
        ErrorKind::unknown, "{}: no answer from the kernel after {} ms", key, deadline.count());
}

} // namespace longcord
