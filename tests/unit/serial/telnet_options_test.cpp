// SPDX-License-Identifier: MIT
#include "serial/telnet_options.hpp"

#include <doctest/doctest.h>

using namespace longcord;

static constexpr std::uint8_t will = 251, wont = 252, do_ = 253, dont = 254;

static std::string iac(int verb, int option) {
    return {'\xff', static_cast<char>(verb), static_cast<char>(option)};
}

TEST_CASE("COM-PORT is agreed in whichever direction the client asks") {
    TelnetOptions options;
    CHECK_FALSE(options.com_port());
    CHECK(options.answer(will, 44) == iac(do_, 44));
    CHECK(options.com_port());
    CHECK(options.answer(do_, 44) == iac(will, 44));
}

TEST_CASE("pyserial's opener") { // DO ECHO, WILL SGA, DO SGA, DO COM-PORT, WILL COM-PORT
    TelnetOptions options;
    CHECK(options.answer(do_, 1) == iac(will, 1));
    CHECK(options.answer(will, 3) == iac(do_, 3));
    CHECK(options.answer(do_, 3) == iac(will, 3));
    CHECK(options.answer(do_, 44) == iac(will, 44));
    CHECK(options.answer(will, 44) == iac(do_, 44));
    CHECK(options.offer().empty()); // whoever does COM-PORT asks for what it wants
}

TEST_CASE("ser2net's opener") {
    TelnetOptions options;
    CHECK(options.answer(will, 3) == iac(do_, 3));
    CHECK(options.answer(do_, 3) == iac(will, 3));
    CHECK(options.answer(will, 1) == iac(dont, 1));
    CHECK(options.answer(dont, 1).empty());
    CHECK(options.answer(do_, 0) == iac(will, 0));
    CHECK(options.answer(will, 0) == iac(do_, 0));
    CHECK(options.answer(do_, 44) == iac(will, 44));
}

TEST_CASE("each request is answered once") {
    TelnetOptions options;
    CHECK(options.answer(will, 44) == iac(do_, 44));
    CHECK(options.answer(will, 44).empty());
    CHECK(options.answer(do_, 0) == iac(will, 0));
    CHECK(options.answer(do_, 0).empty());
}

TEST_CASE("unknown options are refused, once each, both ways") {
    TelnetOptions options;
    CHECK(options.answer(will, 24) == iac(dont, 24));
    CHECK(options.answer(will, 24).empty());
    CHECK(options.answer(do_, 24) == iac(wont, 24));
    CHECK(options.answer(do_, 24).empty());
    CHECK(options.answer(do_, 255) == iac(wont, 255));
}

TEST_CASE("a timing mark is answered each time that one is asked for") {
    TelnetOptions options;
    CHECK(options.answer(do_, 6) == iac(will, 6));
    CHECK(options.answer(do_, 6) == iac(will, 6));
    CHECK(options.answer(will, 6) == iac(dont, 6));
}

TEST_CASE("a refusal of what is off is not answered, and a withdrawal is") {
    TelnetOptions options;
    CHECK(options.answer(wont, 44).empty());
    CHECK(options.answer(dont, 24).empty());
    CHECK(options.answer(do_, 24) == iac(wont, 24));
    options.answer(will, 44);
    CHECK(options.answer(wont, 44) == iac(dont, 44));
    CHECK_FALSE(options.com_port());
}

TEST_CASE("a terminal's telnet is offered a clean line, and its consent is no question") {
    TelnetOptions options;
    CHECK(options.answer(do_, 3) == iac(will, 3));
    CHECK(options.offer() == iac(will, 1) + iac(will, 0) + iac(do_, 0));
    CHECK(options.offer().empty());
    CHECK(options.answer(do_, 1).empty());
    CHECK(options.answer(will, 0).empty());
    CHECK_FALSE(options.nvt());
    CHECK(options.answer(wont, 0) == iac(dont, 0));
    CHECK(options.nvt());
    options.answer(will, 44);
    CHECK_FALSE(options.nvt()); // RFC 2217's data is eight bits wide in any case
}
