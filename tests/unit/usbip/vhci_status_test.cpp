// SPDX-License-Identifier: MIT
#include "result_text.hpp"
#include "usbip/vhci_status.hpp"

#include <doctest/doctest.h>

using namespace longcord;
using State = VhciPort::State;

namespace {

/// Controller `index` as port_show_vhci() prints it, nothing attached.
std::string controller(unsigned index, unsigned ports_a_hub) {
    std::string text = "hub port sta spd dev      sockfd local_busid\n";
    for (unsigned i = 0; i < 2 * ports_a_hub; ++i)
        text += fmt::format(
            "{}  {:04} 004 000 00000000 000000 0-0\n", i < ports_a_hub ? "hs" : "ss",
            index * 2 * ports_a_hub + i);
    return text;
}

} // namespace

TEST_CASE("4.13 and later: hub, port, state, speed, devid, descriptor, busid") {
    const auto ports = parse_vhci_status("hub port sta spd dev      sockfd local_busid\n"
                                         "hs  0000 004 000 00000000 000000 0-0\n"
                                         "hs  0001 006 003 00010002 000013 5-2\n"
                                         "hs  0002 005 000 00000000 000000 0-0\n"
                                         "ss  0008 006 005 00020003 000014 6-1\n"
                                         "ss  0009 007 000 00000000 000000 0-0\n");
    REQUIRE(ports);
    REQUIRE(ports->size() == 5);
    CHECK((*ports)[0] == VhciPort{false, 0, State::free, 0, 0, 0, ""});
    CHECK((*ports)[1] == VhciPort{false, 1, State::used, 3, 0x10002, 13, "5-2"});
    CHECK((*ports)[2] == VhciPort{false, 2, State::assigned, 0, 0, 0, ""});
    CHECK((*ports)[3] == VhciPort{true, 8, State::used, 5, 0x20003, 14, "6-1"});
    CHECK((*ports)[4] == VhciPort{true, 9, State::error, 0, 0, 0, ""});
}

TEST_CASE("8 + 8 ports as Ubuntu and Proxmox have them, 30 a controller as Debian") {
    CHECK(parse_vhci_status(controller(0, 8))->size() == 16);
    const auto last = parse_vhci_status(controller(7, 15));
    REQUIRE(last->size() == 30);
    CHECK(last->front() == VhciPort{false, 210, State::free, 0, 0, 0, ""});
    CHECK(last->back() == VhciPort{true, 239, State::free, 0, 0, 0, ""});
}

TEST_CASE("a controller that is not ready shows state 5 and a socket of 16 zeros") {
    const auto ports = parse_vhci_status("hub port sta spd dev      sockfd local_busid\n"
                                         "hs  0000 005 000 00000000 0000000000000000 0-0\n");
    CHECK(ports->front().state == State::not_ready);
}

TEST_CASE("4.13 and 4.14 print a pointer where the descriptor is now") {
    const auto ports = parse_vhci_status("hub port sta spd dev      socket           local_busid\n"
                                         "hs  0000 006 003 00010002 ffff8800d5c5c000 5-1\n"
                                         "hs  0001 004 000 00000000 0000000000000000 0-0\n");
    CHECK(ports->at(0) == VhciPort{false, 0, State::used, 3, 0x10002, 0, "5-1"});
    CHECK(ports->at(1).state == State::free);
}

TEST_CASE("4.9 to 4.12 have no hub column") {
    const auto ports = parse_vhci_status("port sta spd dev      socket           local_busid\n"
                                         "0000 004 000 00000000 0000000000000000 0-0\n"
                                         "0001 006 002 00010005 ffff88003d5c5c00 3-2\n");
    CHECK(ports->at(0) == VhciPort{false, 0, State::free, 0, 0, 0, ""});
    CHECK(ports->at(1) == VhciPort{false, 1, State::used, 2, 0x10005, 0, "3-2"});
}

TEST_CASE("up to 4.8 a free row has a column more than a used one, and pointers are padded") {
    const auto ports = parse_vhci_status("prt sta spd bus dev socket           local_busid\n"
                                         "000 004 000 000 000 0000000000000000 0-0\n"
                                         "001 006 003 00010002         880012c0 3-1\n");
    CHECK(ports->at(0).state == State::free);
    CHECK(ports->at(1) == VhciPort{false, 1, State::used, 3, 0x10002, 0, "3-1"});
}

TEST_CASE("a state that is not known is never free") {
    const auto ports = parse_vhci_status("hub port sta spd dev sockfd local_busid\n"
                                         "hs 0000 008 000 00000000 000000 0-0\n");
    CHECK(ports->front().state == State::not_ready);
}

TEST_CASE("what is no status file is refused, and the row that is none is shown") {
    for (const char* text : {"", "\n", "0000 004", "hub port\n", "nonsense\nhs 0 4\n"})
        CHECK(parse_vhci_status(text).error().kind == ErrorKind::protocol);
    const std::string header = "hub port sta spd dev      sockfd local_busid\n";
    for (const char* row :
         {"hs  0000 004", "xx  0000 004 000 00000000 000000 0-0",
          "hs  -001 004 000 00000000 000000 0-0", "hs  0000 006 003 0001000g 000013 5-2",
          "hs  0000 006 003 00010002 000013", "hs  0000 006 003 00010002 x 5-2",
          "hs  0000 006 003 00010002 000013 5-2 6-2"}) {
        const auto ports = parse_vhci_status(header + row + '\n');
        REQUIRE_FALSE(ports);
        CHECK(ports.error().message.find(row) != std::string::npos);
    }
}

TEST_CASE("a port is free when its state says so, and not when it does not exist") {
    auto ports = *parse_vhci_status(controller(0, 8));
    CHECK(is_free(ports, 3));
    ports[3].state = State::error;
    CHECK_FALSE(is_free(ports, 3));
    CHECK_FALSE(is_free(ports, 16));
}
