// SPDX-License-Identifier: MIT
#include "plan/flap_guard.hpp"

#include <algorithm>

namespace longcord {

void FlapGuard::happened(TimePoint now) {
    if (level_ > 0 && now >= forgiven_at_)
        level_ = 0;
    std::erase_if(times_, [&](TimePoint time) { return time + window < now; });
    times_.push_back(now);
    if (times_.size() <= limit_)
        return;
    constexpr unsigned doublings = 5;
    const auto hold =
        std::min<seconds>(first_hold * (1u << std::min(level_, doublings)), longest_hold);
    ++level_;
    hold_end_ = now + hold;
    forgiven_at_ = hold_end_ + 2 * hold;
    times_.clear();
}

std::optional<TimePoint> FlapGuard::held_until(TimePoint now) const noexcept {
    return now < hold_end_ ? std::optional(hold_end_) : std::nullopt;
}

bool FlapGuard::forgettable(TimePoint now) const noexcept {
    return now >= forgiven_at_ && (times_.empty() || times_.back() + window < now);
}

void FlapGuard::release() noexcept {
    level_ = 0;
    times_.clear();
    hold_end_ = {};
    forgiven_at_ = {};
}

} // namespace longcord
