// SPDX-License-Identifier: MIT
// What is looked at every now and then is looked at on whole multiples of its interval, so that
// several such looks, and the heartbeat, share one wake-up of the process.
#pragma once

#include "base/clock.hpp"

namespace longcord {

/// The first whole multiple of `interval` after `now`: in `interval` at most.
constexpr TimePoint next_round(TimePoint now, milliseconds interval) noexcept {
    return now + interval - now.time_since_epoch() % interval;
}

} // namespace longcord
