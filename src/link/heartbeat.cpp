// SPDX-License-Identifier: MIT
#include "link/heartbeat.hpp"

#include "base/rounds.hpp"

#include <algorithm>

namespace longcord {

bool Heartbeat::turn(TimePoint now) noexcept {
    // Turns come at least once an interval; one that is a whole interval late was held up.
    if (alive_ && now - turned_ > 2 * interval)
        heard_ = now;
    turned_ = now;
    alive_ = now - heard_ < dead_after_;
    return alive_;
}

std::optional<std::uint64_t> Heartbeat::ping(TimePoint now) noexcept {
    if (now < next_ping_)
        return std::nullopt;
    next_ping_ = next_round(now, interval);
    pinged_ = now;
    return ++n_;
}

TimePoint Heartbeat::next_turn() const noexcept {
    return alive_ ? std::min(next_ping_, heard_ + dead_after_) : next_ping_;
}

void Heartbeat::heard(TimePoint at) noexcept {
    heard_ = std::max(heard_, at);
}

void Heartbeat::pong(std::uint64_t n, TimePoint now) noexcept {
    heard(now);
    if (n == n_ && n != 0)
        round_trip_ = std::chrono::duration_cast<milliseconds>(now - pinged_);
}

} // namespace longcord
