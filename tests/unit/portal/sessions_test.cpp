// SPDX-License-Identifier: MIT
#include "portal/sessions.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace longcord;

static constexpr TimePoint start{};

static Sessions::Random bytes(unsigned n) {
    Sessions::Random out{};
    out[0] = static_cast<std::uint8_t>(n);
    out[1] = static_cast<std::uint8_t>(n >> 8U);
    return out;
}

TEST_CASE("a session is found by its token and by no other") {
    Sessions sessions;
    const auto made = sessions.begin(bytes(1), bytes(2), start);
    CHECK(made.token.size() == 43); // 32 bytes, base64url
    REQUIRE(sessions.find(made.token, start));
    CHECK(sessions.find(made.token, start)->csrf == made.csrf);
    CHECK(!sessions.find("", start));
    CHECK(!sessions.find(made.csrf, start));
    CHECK(!sessions.find(made.token + "A", start));
    sessions.end(made.token);
    CHECK(!sessions.find(made.token, start));
}

TEST_CASE("a session ends 12 hours after its last use, and 7 days after its first") {
    Sessions sessions;
    const auto made = sessions.begin(bytes(1), bytes(2), start);
    auto now = start + Sessions::idle - milliseconds(1);
    CHECK(sessions.find(made.token, now));
    CHECK(sessions.is_alive(made.token, now + Sessions::idle - milliseconds(1)));
    CHECK(!sessions.is_alive(made.token, now + Sessions::idle));
    while (now < start + Sessions::longest - std::chrono::hours(6)) {
        CHECK(sessions.find(made.token, now));
        now += std::chrono::hours(6);
    }
    CHECK(sessions.find(made.token, start + Sessions::longest - milliseconds(1)));
    CHECK(!sessions.find(made.token, start + Sessions::longest));
}

TEST_CASE("asking whether it is alive is no use of it") {
    Sessions sessions;
    const auto made = sessions.begin(bytes(1), bytes(2), start);
    CHECK(sessions.is_alive(made.token, start + Sessions::idle - milliseconds(1)));
    CHECK(!sessions.find(made.token, start + Sessions::idle));
}

TEST_CASE("32 sessions; the next one ends the one that was used least lately") {
    Sessions sessions;
    std::vector<std::string> tokens;
    for (unsigned i = 0; i < Sessions::limit; ++i)
        tokens.push_back(sessions.begin(bytes(i), bytes(0), start + seconds(i)).token);
    CHECK(sessions.size() == 32);
    CHECK(sessions.find(tokens[0], start + seconds(100)));
    const auto next = sessions.begin(bytes(1000), bytes(0), start + seconds(101));
    CHECK(sessions.size() == 32);
    CHECK(sessions.find(tokens[0], start + seconds(101)));
    CHECK(!sessions.find(tokens[1], start + seconds(101)));
    CHECK(sessions.find(next.token, start + seconds(101)));
}

TEST_CASE("a cookie is found among others, by its whole name") {
    CHECK(cookie_value("longcord=abc", "longcord") == "abc");
    CHECK(cookie_value("a=1; longcord=abc; b=2", "longcord") == "abc");
    CHECK(cookie_value("xlongcord=evil; longcord=abc", "longcord") == "abc");
    CHECK(cookie_value("longcordx=evil", "longcord").empty());
    CHECK(cookie_value("longcord", "longcord").empty());
    CHECK(cookie_value("", "longcord").empty());
    CHECK(cookie_value(";;=;", "longcord").empty());
}

TEST_CASE("secrets are equal only as a whole") {
    CHECK(equal_secrets("", ""));
    CHECK(equal_secrets("abc", "abc"));
    CHECK(!equal_secrets("abc", "abd"));
    CHECK(!equal_secrets("abc", "ab"));
    CHECK(!equal_secrets("abc", "abcd"));
}
