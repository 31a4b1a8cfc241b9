// SPDX-License-Identifier: MIT
// A thing that keeps coming and going is held off, so that it costs neither the VM nor the log:
// more than `limit` times within `window`, and it must be quiet for a while, longer each time it
// happens again. A quiet spell of twice the hold forgives.
#pragma once

#include "base/clock.hpp"

#include <deque>
#include <optional>

namespace longcord {

class FlapGuard {
  public:
    static constexpr seconds window{30};
    static constexpr seconds first_hold{30};
    static constexpr seconds longest_hold{600};

    /// `limit`: how many times within the window are still normal.
    explicit FlapGuard(unsigned limit) noexcept : limit_(limit) {}

    void happened(TimePoint now);
    /// The end of the hold, where there is one now.
    std::optional<TimePoint> held_until(TimePoint now) const noexcept;
    /// A hold, over or not, that is not forgiven yet.
    bool ever_held() const noexcept { return level_ > 0; }
    /// Nothing of it would be missed: no hold, no memory of one, nothing within the window.
    bool forgettable(TimePoint now) const noexcept;
    /// A person has looked at it.
    void release() noexcept;

  private:
    unsigned limit_;
    unsigned level_ = 0; ///< how many holds in a row
    std::deque<TimePoint> times_;
    TimePoint hold_end_{};
    TimePoint forgiven_at_{};
};

} // namespace longcord
