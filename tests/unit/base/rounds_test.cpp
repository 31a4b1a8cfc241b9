// SPDX-License-Identifier: MIT
#include "base/rounds.hpp"

#include <doctest/doctest.h>

using namespace longcord;
using namespace std::chrono_literals;

TEST_CASE("a round is a whole multiple of its interval, after now, and an interval away at most") {
    CHECK(next_round(TimePoint(7300ms), 2000ms) == TimePoint(8s));
    CHECK(next_round(TimePoint(8s), 2000ms) == TimePoint(10s));
    CHECK(next_round(TimePoint(8s - 1ns), 2000ms) == TimePoint(8s));
}

TEST_CASE("so looks of every 2, 3 and 10 s share the seconds of the heartbeat") {
    for (const auto interval : {2000ms, 3000ms, 10'000ms}) {
        const TimePoint round = next_round(TimePoint(123'456'789us), interval);
        CHECK(next_round(round - 1ms, 1000ms) == round);
    }
}
