// SPDX-License-Identifier: MIT
// Keeps a node announced while host.yaml wants it: again after avahi-daemon was restarted, and with
// a problem for `status` while there is none.
#pragma once

#include "base/worker_pool.hpp"
#include "discovery/avahi.hpp"

#include <functional>

#include <boost/asio/steady_timer.hpp>

namespace longcord {

class Announcer {
  public:
    struct Wish {
        std::string node;
        unsigned port = 0;
        std::vector<std::string> interfaces; ///< empty: announce nothing
        bool operator==(const Wish&) const = default;
    };
    /// Without a daemon nobody tells when there is one: it is tried so often.
    static constexpr milliseconds retry_after{10'000};

    /// `problem` hears of attempts that end in another way than the one before; an empty one: it is
    /// announced.
    Announcer(
        asio::io_context& loop, WorkerPool& pool, std::function<void(const std::string&)> problem)
        : loop_(loop), pool_(pool), problem_(std::move(problem)), wake_(loop) {}

    /// From now on; can be said again.
    void want(Wish wish);
    /// Ends only with the loop.
    Task<> run();

  private:
    Task<bool> announce();

    asio::io_context& loop_;
    WorkerPool& pool_;
    std::function<void(const std::string&)> problem_;
    asio::steady_timer wake_;
    Wish wish_;
    std::string said_ = "nothing yet";
    std::shared_ptr<Announcement> made_;
};

} // namespace longcord
