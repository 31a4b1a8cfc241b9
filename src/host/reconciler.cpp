// SPDX-License-Identifier: MIT
#include "host/reconciler.hpp"

#include "plan/changes.hpp"

#include <boost/asio/post.hpp>

namespace longcord {

Reconciler::Reconciler(asio::io_context& loop, Hooks hooks)
    : loop_(loop), timer_(loop), hooks_(std::move(hooks)) {}

void Reconciler::wake() {
    if (std::exchange(awake_, true))
        return;
    asio::post(loop_, [this] { run(); });
}

void Reconciler::ended(const Action& action, const Result<>& result) {
    action_ended(world_, action, result, Clock::now());
    wake();
}

void Reconciler::run() {
    awake_ = false;
    Plan latest = plan(world_, Clock::now());
    for (const auto& action : latest.actions) {
        action_started(world_, action);
        hooks_.start(action);
    }
    tell_changes(std::move(latest.outcomes));
    hooks_.planned();
    timer_.cancel();
    if (!latest.wake)
        return;
    timer_.expires_at(*latest.wake);
    timer_.async_wait([this](boost::system::error_code error) {
        if (!error)
            wake();
    });
}

void Reconciler::tell_changes(std::map<Place, Outcome> latest) {
    const auto before = std::exchange(outcomes_, std::move(latest));
    for (const auto& [place, outcome] : outcomes_) {
        const auto old = before.find(place);
        if (old == before.end() || !(old->second == outcome))
            hooks_.changed(place, &outcome);
    }
    for (const auto& [place, outcome] : before)
        if (!outcomes_.contains(place))
            hooks_.changed(place, nullptr);
}

} // namespace longcord
