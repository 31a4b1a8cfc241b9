// SPDX-License-Identifier: MIT
#include "control/setup_code.hpp"

#include <doctest/doctest.h>

using namespace longcord;

static constexpr SetupCode::Random random_bytes{0, 1, 2, 3, 4, 5, 6, 31 + 32};
static constexpr TimePoint now{};

TEST_CASE("a code is eight letters and digits that nobody mistakes, and good once") {
    SetupCode code;
    CHECK(code.make(random_bytes, now) == "ABCD-EFG9");
    CHECK(code.use("ABCD-EFG9", now).has_value());
    const auto again = code.use("ABCD-EFG9", now);
    REQUIRE(!again);
    CHECK(again.error().kind == ErrorKind::not_found);
    CHECK(again.error().message.find("longcord portal-code") != std::string::npos);
}

TEST_CASE("case, blanks and hyphens are of no account") {
    for (const char* typed : {"abcd-efg9", " ABCD EFG9 ", "ABCDEFG9", "a-b-c-d-e-f-g-9"}) {
        SetupCode code;
        code.make(random_bytes, now);
        CHECK(code.use(typed, now).has_value());
    }
}

TEST_CASE("without a code nothing is the code") {
    SetupCode code;
    CHECK(code.use("", now).error().kind == ErrorKind::not_found);
    code.make(random_bytes, now);
    CHECK(code.use("", now).error().kind == ErrorKind::refused);
    CHECK(code.use("ABCD-EFG", now).error().kind == ErrorKind::refused);
    CHECK(code.use("ABCD-EFG99", now).error().kind == ErrorKind::refused);
}

TEST_CASE("a code is good for less than 10 minutes") {
    SetupCode code;
    code.make(random_bytes, now);
    CHECK(code.use("ABCDEFG9", now + SetupCode::lifetime).error().kind == ErrorKind::not_found);
    code.make(random_bytes, now);
    CHECK(code.use("ABCDEFG9", now + SetupCode::lifetime - milliseconds(1)).has_value());
}

TEST_CASE("the fifth wrong one ends a code, the fourth does not") {
    SetupCode code;
    code.make(random_bytes, now);
    for (unsigned i = 1; i < SetupCode::max_wrong; ++i)
        CHECK(code.use("WRONGONE", now).error().kind == ErrorKind::refused);
    CHECK(code.use("ABCDEFG9", now).has_value());
    code.make(random_bytes, now);
    for (unsigned i = 0; i < SetupCode::max_wrong; ++i)
        CHECK(code.use("WRONGONE", now).error().kind == ErrorKind::refused);
    CHECK(code.use("ABCDEFG9", now).error().kind == ErrorKind::not_found);
}

TEST_CASE("a new code takes the old one's place") {
    SetupCode code;
    code.make(random_bytes, now);
    code.make({9, 9, 9, 9, 9, 9, 9, 9}, now);
    CHECK(!code.use("ABCDEFG9", now));
    CHECK(code.use("KKKKKKKK", now).has_value());
}
