// SPDX-License-Identifier: MIT
// One clock for everything that waits or compares. It never jumps with the wall clock, and pure
// code is handed a TimePoint instead of asking for one.
#pragma once

#include <chrono>

namespace longcord {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using std::chrono::milliseconds;
using std::chrono::seconds;

} // namespace longcord
