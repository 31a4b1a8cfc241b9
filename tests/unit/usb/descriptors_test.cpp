// SPDX-License-Identifier: MIT
#include "usb/descriptors.hpp"

#include <random>
#include <string>

#include <doctest/doctest.h>

using namespace longcord;

namespace {

std::string bytes(std::initializer_list<int> values) {
    std::string text;
    for (const int value : values)
        text += static_cast<char>(value);
    return text;
}

const std::string device =
    bytes({18, 1, 0, 2, 0, 0, 0, 64, 0x86, 0x1a, 0xd4, 0x55, 0x43, 4, 0, 1, 0, 2});
std::string configuration(int value) {
    return bytes({9, 2, 0, 0, 1, value, 0, 0x80, 50});
}
std::string interface(int number, int alternate, int code, int subclass, int protocol) {
    return bytes({9, 4, number, alternate, 1, code, subclass, protocol, 0});
}
const std::string endpoint = bytes({7, 5, 0x81, 2, 64, 0, 0});
const std::string union_functional = bytes({5, 0x24, 6, 0, 1});

using Classes = std::vector<InterfaceClass>;

} // namespace

TEST_CASE("a CDC ACM device has its two interfaces") {
    const auto text = device + configuration(1) + interface(0, 0, 2, 2, 1) + union_functional +
                      endpoint + interface(1, 0, 10, 0, 0) + endpoint + endpoint;
    CHECK(interfaces_in(text, 0) == Classes{{2, 2, 1}, {10, 0, 0}});
    CHECK(interfaces_in(text, 1) == Classes{{2, 2, 1}, {10, 0, 0}});
    CHECK(interfaces_in(text, 2).empty());
}

TEST_CASE("the asked configuration counts, and only that") {
    const auto text = device + configuration(2) + interface(0, 0, 0xe0, 1, 3) + configuration(1) +
                      interface(0, 0, 2, 6, 0) + interface(1, 0, 10, 0, 0);
    CHECK(interfaces_in(text, 0) == Classes{{0xe0, 1, 3}});
    CHECK(interfaces_in(text, 1) == Classes{{2, 6, 0}, {10, 0, 0}});
    CHECK(interfaces_in(text, 2) == Classes{{0xe0, 1, 3}});
}

TEST_CASE("alternate settings are no interfaces, and the order is by number") {
    const auto text = device + configuration(1) + interface(1, 0, 1, 2, 0) +
                      interface(1, 1, 1, 2, 9) + interface(0, 1, 1, 1, 9) +
                      interface(0, 0, 1, 1, 0);
    CHECK(interfaces_in(text, 0) == Classes{{1, 1, 0}, {1, 2, 0}});
}

TEST_CASE("truncated and malformed descriptors end the list") {
    const auto good = device + configuration(1) + interface(0, 0, 3, 1, 1);
    CHECK(interfaces_in({}, 0).empty());
    CHECK(interfaces_in(device, 0).empty());
    CHECK(interfaces_in(good + bytes({0, 0}) + interface(1, 0, 8, 6, 80), 0) == Classes{{3, 1, 1}});
    CHECK(interfaces_in(good + bytes({1, 4}) + interface(1, 0, 8, 6, 80), 0) == Classes{{3, 1, 1}});
    CHECK(interfaces_in(good + bytes({9, 4, 1}), 0) == Classes{{3, 1, 1}});
    CHECK(interfaces_in(good + bytes({4, 4, 1, 0}), 0) == Classes{{3, 1, 1}}); // short, but whole
    for (std::size_t size = 0; size < good.size(); ++size)
        CHECK(interfaces_in(good.substr(0, size), 0).empty());
}

TEST_CASE("any bytes are read without harm") {
    std::mt19937 random(1);
    for (int round = 0; round < 2000; ++round) {
        std::string text(random() % 64, '\0');
        for (char& c : text)
            c = static_cast<char>(random() % 12);
        CHECK(interfaces_in(text, static_cast<unsigned>(random() % 3)).size() <= text.size() / 9);
    }
}
