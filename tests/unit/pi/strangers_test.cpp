// SPDX-License-Identifier: MIT
#include "pi/strangers.hpp"

#include <doctest/doctest.h>

using namespace longcord;

TEST_CASE("2 strangers an address") {
    Strangers strangers;
    CHECK(strangers.enter("10.0.0.1", 0));
    CHECK(strangers.enter("10.0.0.1", 0));
    CHECK_FALSE(strangers.enter("10.0.0.1", 0));
    CHECK(strangers.enter("10.0.0.2", 0));
    strangers.leave("10.0.0.1");
    CHECK(strangers.enter("10.0.0.1", 0));
    CHECK(strangers.turned_away() == 1);
}

TEST_CASE("16 strangers at a time") {
    Strangers strangers;
    for (int n = 0; n < 16; ++n)
        CHECK(strangers.enter(std::to_string(n), 0));
    CHECK_FALSE(strangers.enter("the 17th", 0));
    CHECK(strangers.count() == 16);
    strangers.leave("3");
    CHECK(strangers.enter("the 17th", 0));
}

TEST_CASE("a node that opens 16 devices at once is let in with all of them") {
    Strangers strangers;
    for (int n = 0; n < 16; ++n)
        CHECK(strangers.enter("10.0.0.1", 16));
}

TEST_CASE("a linked node's connections may be here before its link has said what they are for") {
    Strangers strangers;
    for (int n = 0; n < 16; ++n)
        CHECK(strangers.enter("10.0.0.1", 0, true));
    CHECK_FALSE(strangers.enter("10.0.0.1", 0, true));
}

TEST_CASE("a crowd of strangers keeps no node out, and a node is no crowd") {
    Strangers strangers;
    for (int n = 0; n < 17; ++n)
        CHECK(strangers.enter(std::to_string(n), 1));
    CHECK_FALSE(strangers.enter("the 18th", 1));
    for (int n = 0; n < 17; ++n)
        CHECK(strangers.enter("the node", 1, true));
    CHECK_FALSE(strangers.enter("the node", 1, true));
    for (int n = 0; n < 17; ++n)
        strangers.leave("the node");
    CHECK(strangers.count() == 17);
}

TEST_CASE("who was never here does not leave") {
    Strangers strangers;
    strangers.leave("10.0.0.1");
    CHECK(strangers.count() == 0);
    CHECK(strangers.enter("10.0.0.1", 0));
    CHECK(strangers.count() == 1);
}
