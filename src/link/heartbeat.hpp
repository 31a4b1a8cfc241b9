// SPDX-License-Identifier: MIT
// Is the Pi there? A ping every second; any byte from the Pi counts as life; silence of
// `dead_after` means the link is down (which by itself ends no stream). Pure: it is told the time.
//
// A loop that was held up (a suspended machine, a debugger) has not listened: the silence of such a
// time is not the Pi's, and the Pi gets a fresh period.
#pragma once

#include "base/clock.hpp"

#include <cstdint>
#include <optional>

namespace longcord {

class Heartbeat {
  public:
    static constexpr milliseconds interval{1000};
    static constexpr milliseconds default_dead_after{3000};

    explicit Heartbeat(TimePoint now, milliseconds dead_after = default_dead_after)
        : dead_after_(dead_after), heard_(now), turned_(now), next_ping_(now) {}

    /// To be called at next_turn(), and whenever else; true while the Pi is alive.
    bool turn(TimePoint now) noexcept;
    /// The number of the ping to send now, if one is due.
    std::optional<std::uint64_t> ping(TimePoint now) noexcept;
    TimePoint next_turn() const noexcept;

    /// From the next turn on.
    void set_dead_after(milliseconds dead_after) noexcept { dead_after_ = dead_after; }
    milliseconds dead_after() const noexcept { return dead_after_; }

    void heard(TimePoint at) noexcept;
    /// An answer to the latest ping; others are life, but no measure.
    void pong(std::uint64_t n, TimePoint now) noexcept;
    /// Of the latest ping that was answered.
    std::optional<milliseconds> round_trip() const noexcept { return round_trip_; }

  private:
    milliseconds dead_after_;
    TimePoint heard_;
    TimePoint turned_;
    TimePoint next_ping_;
    TimePoint pinged_{};
    std::uint64_t n_ = 0;
    bool alive_ = true;
    std::optional<milliseconds> round_trip_;
};

} // namespace longcord
