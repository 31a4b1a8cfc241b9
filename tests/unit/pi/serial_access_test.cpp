// SPDX-License-Identifier: MIT
#include "pi/serial_store.hpp"

#include <doctest/doctest.h>

using namespace longcord;

TEST_CASE("port numbers are read as they were written") {
    const PortNumbers numbers{
        {"platform-fe9c0000.xhci/1.2", 4000}, {"pci-0000:00:14.0/4:1.1", 65535}};
    CHECK(parse_port_numbers(format_port_numbers(numbers)).value() == numbers);
    CHECK(parse_port_numbers(R"({"ports":[]})").value().empty());
}

TEST_CASE("a file of port numbers that somebody has broken is not believed") {
    for (const char* text :
         {"", "[]", "{}", R"({"ports":{}})", R"({"ports":[7]})", R"({"ports":[{"place":"a/1"}]})",
          R"({"ports":[{"place":"a/1","port":0}]})", R"({"ports":[{"place":"a/1","port":65536}]})",
          R"({"ports":[{"place":"a/1","port":-1}]})", R"({"ports":[{"place":7,"port":1}]})",
          R"({"ports":[{"place":"a/1","port":1},{"place":"a/2","port":1}]})",
          R"({"ports":[{"place":"a/1","port":1},{"place":"a/1","port":2}]})"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_port_numbers(text).has_value());
    }
}

TEST_CASE("the list of those let in by hand is read as it was written, up to its limit") {
    AllowList list;
    for (const char* entry : {"10.0.0.5", "10.0.0.5", "fd00::/8", "192.168.1.7/24", "local-net"})
        REQUIRE(list.add(entry).has_value());
    CHECK(
        list.entries() ==
        std::vector<std::string>{"10.0.0.5", "fd00::/8", "192.168.1.0/24", "local-net"});
    CHECK(parse_allow_list(format_allow_list(list)).value() == list);
    CHECK(list.remove("192.168.1.0/24").value());
    CHECK_FALSE(list.remove("192.168.1.0/24").value());
    CHECK_FALSE(list.remove("nobody").has_value());
    for (const char* text : {"", "{}", R"({"allow":[7]})", R"({"allow":["pve1"]})"})
        CHECK_FALSE(parse_allow_list(text).has_value());

    AllowList many;
    for (std::size_t i = 0; i < max_serial_allow; ++i)
        REQUIRE(many.add("10.0." + std::to_string(i / 256) + "." + std::to_string(i % 256))
                    .has_value());
    CHECK(parse_allow_list(format_allow_list(many)).has_value());
    REQUIRE(many.add("10.9.9.9").has_value());
    CHECK_FALSE(parse_allow_list(format_allow_list(many)).has_value());
}
