// SPDX-License-Identifier: MIT
// The loop of the one idea: whatever happens calls wake(); once a turn of the event loop the
// planner looks at the World, and its actions are started. However many events come in one turn,
// there is one plan.
#pragma once

#include "base/task.hpp"
#include "plan/planner.hpp"

#include <functional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
namespace longcord {

class Reconciler {
  public:
    struct Hooks {
        std::function<void(const Action&)> start;
        /// Where a place stands has changed; nullptr: nothing is known of it any more.
        std::function<void(const Place&, const Outcome*)> changed;
        /// After each plan.
        std::function<void()> planned = [] {};
    };

    Reconciler(asio::io_context& loop, Hooks hooks);

    /// Sources and actions write here what they saw, then call wake().
    World& world() noexcept { return world_; }
    const World& world() const noexcept { return world_; }
    const std::map<Place, Outcome>& outcomes() const noexcept { return outcomes_; }

    void wake();
    /// Called by the executor when an action has ended; wakes.
    void ended(const Action& action, const Result<>& result);

  private:
    void run();
    void tell_changes(std::map<Place, Outcome> latest);

    asio::io_context& loop_;
    asio::steady_timer timer_;
    Hooks hooks_;
    World world_;
    std::map<Place, Outcome> outcomes_;
    bool awake_ = false;
};

} // namespace longcord
