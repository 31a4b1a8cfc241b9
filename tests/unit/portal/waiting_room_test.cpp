// SPDX-License-Identifier: MIT
#include "portal/waiting_room.hpp"

#include <optional>
#include <vector>

#include <doctest/doctest.h>

using namespace longcord;

TEST_CASE("whoever has waited longest makes room, and only once") {
    WaitingRoom room;
    std::vector<int> closed;
    std::optional<WaitingRoom::Seat> first;
    first.emplace(room, WaitingRoom::Guest{"10.0.0.1", [&] { closed.push_back(1); }});
    const WaitingRoom::Seat second(room, {"10.0.0.2", [&] { closed.push_back(2); }});
    const WaitingRoom::Seat third(room, {"10.0.0.1", [&] { closed.push_back(3); }});
    CHECK(room.close_longest({}));
    CHECK(room.close_longest("10.0.0.1"));
    CHECK(!room.close_longest("10.0.0.1"));
    CHECK(!room.close_longest("10.0.0.3"));
    CHECK(closed == std::vector<int>{1, 3});
    first.reset();
    CHECK(room.close_longest({}));
    CHECK(closed == std::vector<int>{1, 3, 2});
    CHECK(room.size() == 2);
}

TEST_CASE("nobody waits: nobody is closed") {
    WaitingRoom room;
    {
        const WaitingRoom::Seat answered(room, {"10.0.0.1", [] { FAIL("is being answered"); }});
    }
    CHECK(!room.close_longest({}));
    CHECK(room.size() == 0);
}
