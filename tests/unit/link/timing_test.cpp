// SPDX-License-Identifier: MIT
#include "base/rate_limit.hpp"
#include "link/heartbeat.hpp"
#include "link/reconnect_delay.hpp"

#include <doctest/doctest.h>

using namespace longcord;
using namespace std::chrono_literals;

static const TimePoint start{};

/// Turns as the server does, until `end`; counts pings.
static int turn_until(Heartbeat& heart, TimePoint from, TimePoint end) {
    int pings = 0;
    for (TimePoint now = from; now <= end; now = std::max(now + 1ms, heart.next_turn())) {
        heart.turn(now);
        pings += heart.ping(now).has_value();
    }
    return pings;
}

TEST_CASE("a ping every second") {
    Heartbeat heart(start);
    CHECK(turn_until(heart, start, start + 10s) == 11);
}

TEST_CASE("silence of dead_after, to the millisecond, is the end; any byte is life") {
    Heartbeat heart(start, 3s);
    heart.heard(start + 1500ms);
    turn_until(heart, start, start + 4499ms);
    CHECK(heart.turn(start + 4499ms));
    CHECK(heart.next_turn() == start + 4500ms);
    CHECK_FALSE(heart.turn(start + 4500ms));
    CHECK_FALSE(heart.turn(start + 60s)); // late or not: it was dead before
    heart.heard(start + 61s);
    CHECK(heart.turn(start + 61s));
}

TEST_CASE("a dead peer is still pinged: it may come back") {
    Heartbeat heart(start, 3s);
    CHECK(turn_until(heart, start, start + 20s) == 21);
    CHECK_FALSE(heart.turn(start + 20s));
}

TEST_CASE("a loop that was held up does not blame the peer") {
    Heartbeat heart(start, 3s);
    turn_until(heart, start, start + 1s);
    CHECK(heart.turn(start + 30s));
    CHECK(heart.turn(start + 31s));
    turn_until(heart, start + 31s, start + 33s);
    CHECK_FALSE(heart.turn(start + 33s));
}

TEST_CASE("pings come on whole seconds, whenever the link began: other looks are then, too") {
    Heartbeat heart(start + 300ms);
    CHECK(heart.ping(start + 300ms) == 1);
    CHECK(heart.next_turn() == start + 1s);
}

TEST_CASE("round trip of the latest ping; stale and invented numbers measure nothing") {
    Heartbeat heart(start);
    CHECK(heart.round_trip() == std::nullopt);
    heart.pong(0, start + 1ms);
    CHECK(heart.round_trip() == std::nullopt);
    CHECK(heart.ping(start) == 1);
    CHECK(heart.ping(start + 999ms) == std::nullopt);
    heart.pong(1, start + 12ms);
    CHECK(heart.round_trip() == 12ms);
    CHECK(heart.ping(start + 1s) == 2);
    heart.pong(1, start + 1800ms);
    heart.pong(99, start + 1900ms);
    CHECK(heart.round_trip() == 12ms);
}

TEST_CASE("200 messages at once are taken at once, the 201st has to wait") {
    RateLimit limit(200, 200);
    const TimePoint now = start + 1h;
    for (int i = 0; i < 200; ++i)
        REQUIRE(limit.take(now) == 0ms);
    CHECK(limit.take(now) == 5ms);
    CHECK(limit.take(now + 5ms) == 5ms);
    CHECK(limit.take(now + 1010ms) == 0ms);
}

TEST_CASE("in the long run 200 a second") {
    RateLimit limit(200, 200);
    TimePoint now = start + 1h;
    for (int i = 0; i < 2200; ++i)
        now += limit.take(now);
    CHECK(now - (start + 1h) == 10s);
}

TEST_CASE("what is not allowed costs nothing") {
    RateLimit limit(1, 2);
    const TimePoint now = start + 1h;
    CHECK(limit.allow(now));
    CHECK(limit.allow(now));
    CHECK_FALSE(limit.allow(now));
    CHECK_FALSE(limit.allow(now + 999ms));
    CHECK(limit.allow(now + 1s));
    CHECK_FALSE(limit.allow(now + 1s));
}

TEST_CASE("reconnecting: from half a second to thirty, with jitter") {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        ReconnectDelay delay(seed);
        milliseconds step = 1s;
        for (int i = 0; i < 10; ++i) {
            const auto pause = delay.next(0s, false);
            REQUIRE(pause >= step / 2);
            REQUIRE(pause <= step);
            REQUIRE(pause >= ReconnectDelay::shortest);
            REQUIRE(pause <= ReconnectDelay::longest);
            step = std::min<milliseconds>(2 * step, 30s);
        }
        CHECK(delay.next(9999ms, false) >= 15s); // no good session: no shorter
        CHECK(delay.next(10s, false) <= 1s);     // a good one
    }
    CHECK(ReconnectDelay(1).next(0s, false) != ReconnectDelay(2).next(0s, false));
}

TEST_CASE("a refused login waits a minute, and does not change the step") {
    ReconnectDelay delay(1);
    for (int i = 0; i < 20; ++i) {
        const auto pause = delay.next(0s, true);
        CHECK(pause >= 60s);
        CHECK(pause <= 66s);
    }
    CHECK(delay.next(0s, false) <= 1s);
}
