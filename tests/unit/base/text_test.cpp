// SPDX-License-Identifier: MIT
#include "base/text.hpp"

#include <doctest/doctest.h>

using namespace longcord;

TEST_CASE("what a device calls itself is shown without controls") {
    CHECK(printable("Board\n#1\x1b[2J\x7f") == "Board?#1?[2J?");
    CHECK(printable("\u0085") == "?"); // C1
    CHECK(printable("Gerät №1, 设备, עברית, 🔌") == "Gerät №1, 设备, עברית, 🔌");
}

TEST_CASE("and without marks that turn the text around it round") {
    for (const char* mark :
         {"\u061c", "\u200e", "\u200f", "\u2028", "\u2029", "\u202a", "\u202b", "\u202c", "\u202d",
          "\u202e", "\u2066", "\u2067", "\u2068", "\u2069"})
        CHECK(printable(std::string("a") + mark + "b") == "a?b");
    for (const char* other :
         {"\u061b", "\u061d", "\u200d", "\u2010", "\u2027", "\u202f", "\u2065", "\u206a",
          "\U0001f4bb"})
        CHECK(printable(other) == other);
}

TEST_CASE("what is no UTF-8 becomes one mark a byte, and length is counted in bytes") {
    CHECK(printable("\xff\xc3(\xe2\x80") == "?\?(??");
    CHECK(printable(std::string(300, 'x')).size() == max_device_string);
    CHECK(printable("ää", 3) == "ä");
}
