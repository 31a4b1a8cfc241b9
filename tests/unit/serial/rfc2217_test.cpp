// SPDX-License-Identifier: MIT
#include "serial/rfc2217.hpp"
#include "serial/telnet.hpp"

#include <doctest/doctest.h>

using namespace longcord;
using Kind = SerialRequest::Kind;

static std::string bytes(std::initializer_list<int> values) {
    std::string out;
    for (const int value : values)
        out += static_cast<char>(value);
    return out;
}

static std::string sub(std::initializer_list<int> values) {
    return subnegotiation(telnet::com_port, bytes(values));
}

namespace {

/// A port that takes everything.
struct Session {
    Rfc2217 session{"longcord test", {}, {}};
    LineSettings in_force{};
    SerialRequest last{};

    std::string say(std::initializer_list<int> values) {
        last = session.begin(bytes(values));
        if (last.kind == Kind::line)
            in_force = last.line;
        return session.end(in_force);
    }
};

} // namespace

TEST_CASE("the rate: set, asked, and odd values are answered with what is in force") {
    Session s;
    CHECK(s.say({1, 0, 0, 0, 0}) == sub({101, 0, 1, 0xc2, 0}));
    CHECK(s.last.kind == Kind::none);
    CHECK(s.say({1, 0, 0x0e, 0x10, 0}) == sub({101, 0, 0x0e, 0x10, 0})); // 921600
    CHECK(s.last.kind == Kind::line);
    CHECK(s.say({1, 0, 0x2d, 0xc6, 0xc0}) == sub({101, 0, 0x2d, 0xc6, 0xc0})); // 3,000,000
    CHECK(s.say({1, 0, 1}) == sub({101, 0, 0x2d, 0xc6, 0xc0}));
    CHECK(s.say({1}) == sub({101, 0, 0x2d, 0xc6, 0xc0}));
    CHECK(s.say({1, 14}) == sub({101, 14})); // Cisco's 115200
    CHECK(s.in_force.baud == 115200);
}

TEST_CASE("a rate that the port does not take is answered with the rate it has") {
    Rfc2217 session("", {}, {});
    CHECK(session.begin(bytes({1, 0, 0, 0, 7})).line.baud == 7);
    CHECK(session.end(LineSettings{}) == sub({101, 0, 1, 0xc2, 0}));
}

TEST_CASE("a rate with 0xff in it is doubled on the wire") {
    Session s;
    CHECK(s.say({1, 0, 0, 255, 0}) == bytes({255, 250, 44, 101, 0, 0, 255, 255, 0, 255, 240}));
}

TEST_CASE("size, parity and stop bits") {
    Session s;
    CHECK(s.say({2, 0}) == sub({102, 8}));
    CHECK(s.say({2, 7}) == sub({102, 7}));
    CHECK(s.say({2, 9}) == sub({102, 7}));
    CHECK(s.say({2, 4}) == sub({102, 7}));
    CHECK(s.say({3, 0}) == sub({103, 1}));
    for (int parity = 1; parity <= 5; ++parity)
        CHECK(s.say({3, parity}) == sub({103, parity}));
    CHECK(s.say({3, 6}) == sub({103, 5}));
    CHECK(s.say({4, 0}) == sub({104, 1}));
    CHECK(s.say({4, 2}) == sub({104, 2}));
    CHECK(s.say({4, 3}) == sub({104, 3}));
    CHECK(s.say({4, 4}) == sub({104, 3}));
    CHECK(s.in_force == LineSettings{115200, 7, Parity::space, StopBits::one_and_half});
}

TEST_CASE("what is in force already is not set again") {
    Session s;
    CHECK(s.say({1, 0, 1, 0xc2, 0}) == sub({101, 0, 1, 0xc2, 0}));
    CHECK(s.last.kind == Kind::none);
    CHECK(s.say({5, 1}) == sub({105, 1}));
    CHECK(s.last.kind == Kind::none);
}

TEST_CASE("flow control: for both ways, and for the inbound one alone") {
    Session s;
    CHECK(s.say({5, 0}) == sub({105, 1}));
    CHECK(s.say({5, 2}) == sub({105, 2}));
    CHECK(s.say({5, 13}) == sub({105, 15}));
    CHECK(s.say({5, 14}) == sub({105, 14}));
    CHECK(s.say({5, 0}) == sub({105, 2}));
    CHECK(s.say({5, 3}) == sub({105, 3}));
    CHECK(s.say({5, 13}) == sub({105, 16}));
    CHECK(s.say({5, 14}) == sub({105, 14}));
    // What no tty can is answered with what is in force that way.
    CHECK(s.say({5, 17}) == sub({105, 3}));  // by DCD, both ways
    CHECK(s.say({5, 18}) == sub({105, 14})); // by DTR, inbound
    CHECK(s.say({5, 19}) == sub({105, 3}));  // by DSR, both ways
}

TEST_CASE("each line command is answered by its own code, and queries by the state") {
    Session s;
    CHECK(s.say({5, 4}) == sub({105, 6}));
    CHECK(s.say({5, 5}) == sub({105, 5}));
    CHECK(s.last.kind == Kind::brk);
    CHECK(s.last.on);
    CHECK(s.say({5, 4}) == sub({105, 5}));
    CHECK(s.say({5, 6}) == sub({105, 6}));
    CHECK(s.say({5, 7}) == sub({105, 9}));
    CHECK(s.say({5, 8}) == sub({105, 8}));
    CHECK(s.last.kind == Kind::control);
    CHECK(s.last.lines == ModemLines{true, false});
    CHECK(s.say({5, 7}) == sub({105, 8}));
    CHECK(s.say({5, 10}) == sub({105, 12}));
    CHECK(s.say({5, 11}) == sub({105, 11}));
    CHECK(s.last.lines == ModemLines{true, true});
    CHECK(s.say({5, 9}) == sub({105, 9}));
    CHECK(s.say({5, 12}) == sub({105, 12}));
}

TEST_CASE("purge asks for what it names and is acknowledged") {
    Session s;
    CHECK(s.say({12, 1}) == sub({112, 1}));
    CHECK((s.last.rx && !s.last.tx));
    CHECK(s.say({12, 2}) == sub({112, 2}));
    CHECK((!s.last.rx && s.last.tx));
    CHECK(s.say({12, 3}) == sub({112, 3}));
    CHECK((s.last.rx && s.last.tx));
    CHECK(s.say({12, 9}) == sub({112, 9}));
    CHECK(s.last.kind == Kind::none);
}

TEST_CASE("suspend and resume have no answer, which would suspend the client") {
    Session s;
    CHECK(s.say({8}).empty());
    CHECK(s.last.kind == Kind::flow);
    CHECK(s.session.suspended());
    CHECK(s.say({9}).empty());
    CHECK_FALSE(s.session.suspended());
}

TEST_CASE("signatures: asked for, and told") {
    Session s;
    CHECK(s.say({0}) == subnegotiation(44, "\x64longcord test"));
    CHECK(s.say({0, 'm', 'e'}).empty()); // the client's own, which asks for nothing
    CHECK(s.last.kind == Kind::none);
}

TEST_CASE("modem state is told as far as the mask wants, with what has changed") {
    Session s;
    CHECK(s.session.modem_state() == sub({107, 0}));
    CHECK(s.session.modem_changed(modem_cts | modem_dsr) == sub({107, 0x33}));
    CHECK(s.session.modem_changed(modem_cts | modem_dsr).empty());
    CHECK(s.say({11, 0x11}) == sub({111, 0x11}));
    CHECK(s.session.modem_changed(modem_cts).empty()); // DSR is not in the mask
    CHECK(s.session.modem_changed(0) == sub({107, 0x01}));
    CHECK(s.say({11, 255}) == sub({111, 255}));
    CHECK(s.session.modem_changed(modem_ri) == sub({107, 0x40})); // RI's delta is its end
    CHECK(s.session.modem_changed(0) == sub({107, 0x04}));
    CHECK(s.say({7}) == sub({107, 0}));
}

TEST_CASE("line state is told only where the mask wants it") {
    Session s;
    CHECK(s.session.line_changed(line_break).empty());
    CHECK(s.say({10, line_break | line_framing}) == sub({110, line_break | line_framing}));
    CHECK(s.session.line_changed(line_break | line_overrun) == sub({106, line_break}));
    CHECK(s.session.line_changed(line_overrun).empty());
    CHECK(s.say({10, line_sent}) == sub({110, line_sent}));
    CHECK(s.session.line_changed(line_sent) == sub({106, line_sent}));
    CHECK(s.session.line_changed(line_sent).empty()); // told once
    CHECK(s.session.line_changed(0).empty());
    CHECK(s.session.line_changed(line_sent) == sub({106, line_sent}));
}

TEST_CASE("what is no command has no answer and asks for nothing") {
    Session s;
    CHECK(s.say({}).empty());
    CHECK(s.say({13, 1}).empty());
    CHECK(s.say({200}).empty());
    CHECK(s.say({5}).empty());
    CHECK(s.say({5, 20}).empty());
    CHECK(s.last.kind == Kind::none);
}
