// SPDX-License-Identifier: MIT
#include "link/preface.hpp"

#include <doctest/doctest.h>

using namespace longcord;

TEST_CASE("the preface says whose link it is") {
    const Preface preface{"workbench", "10.77.0.2", 5};
    CHECK(format(preface) == R"({"address":"10.77.0.2","pi":"workbench","started":5})");
    CHECK(*parse_preface(format(preface)) == preface);
    CHECK(parse_preface(R"({"pi":"a","address":"fe80::1%eth0"})").has_value());
    const Preface pairing{"workbench", "10.77.0.2", 5, "SHA256:x", true};
    CHECK(*parse_preface(format(pairing)) == pairing);
    CHECK_FALSE(parse_preface(format(preface))->pairing);
    CHECK(parse_preface(R"({"pi":"a","address":"::1"})")->started == ~std::uint64_t{0});
}

TEST_CASE("a preface that is none") {
    for (const char* bad :
         {"", "{}", "[]", R"({"pi":"a"})", R"({"address":"::1"})", R"({"pi":"A","address":"::1"})",
          R"({"pi":"../x","address":"::1"})", R"({"pi":"pci-x","address":"::1"})",
          R"({"pi":"a","address":"pve1.lan"})", R"({"pi":"a","address":"10.0.0.256"})",
          R"({"pi":"a","address":"10.0.0.1%eth0"})",
          R"({"pi":"a","address":"::1","started":-1})"}) {
        CAPTURE(bad);
        const auto preface = parse_preface(bad);
        REQUIRE(!preface);
        CHECK(preface.error().message.starts_with("link.sock: "));
    }
}

TEST_CASE("the address is what sshd saw") {
    CHECK(*address_from_ssh_connection("10.77.0.2 40022 10.77.0.1 22") == "10.77.0.2");
    CHECK(*address_from_ssh_connection("fe80::1%eth0 40022 fe80::2 22") == "fe80::1%eth0");
    CHECK(!address_from_ssh_connection(""));
    CHECK(!address_from_ssh_connection("UNKNOWN 65535 UNKNOWN 65535"));
}
