// SPDX-License-Identifier: MIT
#include "base/sshd_settings.hpp"

#include <filesystem>

#include <doctest/doctest.h>

using namespace longcord;

TEST_CASE("the first port is the one to be found at") {
    CHECK(port_of_sshd("port 2222\nport 22\naddressfamily any\n") == 2222);
    CHECK(port_of_sshd("addressfamily any\nport 65535") == 65535);
}

TEST_CASE("what names no port has the standard one") {
    for (const char* text :
         {"", "\n", "addressfamily any\n", "port\n", "port x\n", "port 0\n", "port 65536\n",
          "/etc/ssh/sshd_config: line 3: Bad configuration option: Foo\n"})
        CHECK(port_of_sshd(text) == 22);
}

TEST_CASE("a real sshd answers root with its settings") {
    // Made by sshd's unit: it is not there where none was ever started, and sshd answers nothing.
    std::filesystem::create_directories("/run/sshd");
    const auto settings = sshd_settings();
    REQUIRE(settings.has_value());
    CHECK(settings->find("port ") != std::string::npos);
}
