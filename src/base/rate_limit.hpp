// SPDX-License-Identifier: MIT
// How often something may happen: a Pi that talks too much is read more slowly, and what a stranger
// can cause fills no log.
#pragma once

#include "base/clock.hpp"

#include <algorithm>

namespace longcord {

class RateLimit {
  public:
    /// Up to `burst` at once, `per_second` in the long run.
    RateLimit(unsigned per_second, unsigned burst) noexcept
        : each_(std::chrono::nanoseconds(seconds(1)) / per_second), burst_(each_ * burst) {}

    /// Counts one more; returns how long to wait before the next is taken (zero: not at all).
    milliseconds take(TimePoint now) noexcept {
        full_at_ = std::max(full_at_, now - burst_) + each_;
        return full_at_ > now ? std::chrono::ceil<milliseconds>(full_at_ - now) : milliseconds(0);
    }
    /// Counts one more only where that needs no wait.
    bool allow(TimePoint now) noexcept {
        const TimePoint then = std::max(full_at_, now - burst_) + each_;
        if (then > now)
            return false;
        full_at_ = then;
        return true;
    }

  private:
    std::chrono::nanoseconds each_;
    std::chrono::nanoseconds burst_;
    TimePoint full_at_{};
};

} // namespace longcord
