// SPDX-License-Identifier: MIT
#include "link/push_command.hpp"

#include <doctest/doctest.h>

using namespace longcord;

TEST_CASE("connect and disconnect, with blanks as people type them") {
    CHECK(parse_push_command("connect 1-1.2").value() == PushCommand{true, "1-1.2"});
    CHECK(
        parse_push_command("  disconnect   10-4.1.3 \n").value() == PushCommand{false, "10-4.1.3"});
    CHECK(format(PushCommand{true, "1-1.2"}) == "connect 1-1.2");
    CHECK(format(PushCommand{false, "1-1"}) == "disconnect 1-1");
}

TEST_CASE("everything else is refused, and the refusal says what can be said") {
    for (const char* bad :
         {"", "connect", "connect ", "connect 1-1 2-2", "connect ../x", "connect 01-1",
          "connect a/1-1", "connect 1-1;id", "CONNECT 1-1", "/bin/sh", "scp -t /tmp",
          "internal-sftp", "connect\t1-1", "connect 1-0", "connect 99999999999-1"}) {
        CAPTURE(bad);
        const auto refused = parse_push_command(bad);
        REQUIRE(!refused);
        CHECK(refused.error().kind == ErrorKind::invalid);
        CHECK(refused.error().message.find("connect BUSID") != std::string::npos);
    }
    const auto hostile = parse_push_command("\x1b[2J" + std::string(10'000, 'x'));
    REQUIRE(!hostile);
    CHECK(hostile.error().message.size() < 500);
    CHECK(hostile.error().message.find('\x1b') == std::string::npos);
}
