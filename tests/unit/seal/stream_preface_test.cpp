// SPDX-License-Identifier: MIT
#include "seal/stream_preface.hpp"

#include <algorithm>
#include <span>

#include <doctest/doctest.h>

using namespace longcord;

static std::span<const std::uint8_t> bytes_of(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

TEST_CASE("known answer: the preface is 40 bytes, LCRD, version 1, the ticket") {
    Ticket ticket;
    std::fill_n(ticket.data(), ticket.size, std::uint8_t{0xab});
    const auto bytes = format_stream_preface(ticket);
    const std::string model = std::string("LCRD\0\0\0\1", 8) + std::string(32, '\xab');
    CHECK(std::string(bytes.begin(), bytes.end()) == model);
    const auto back = parse_stream_preface(bytes);
    REQUIRE(back.has_value());
    CHECK(*back == ticket);
}

TEST_CASE("two bytes tell a sealed stream from a USB/IP client and from everybody else") {
    CHECK(tell_first_bytes(bytes_of("")) == FirstBytes::too_few);
    CHECK(tell_first_bytes(bytes_of("L")) == FirstBytes::too_few);
    CHECK(tell_first_bytes(bytes_of("\x01")) == FirstBytes::too_few);
    CHECK(tell_first_bytes(bytes_of("LC")) == FirstBytes::sealed);
    CHECK(tell_first_bytes(bytes_of("LCRDxx")) == FirstBytes::sealed);
    CHECK(tell_first_bytes(bytes_of("\x01\x11")) == FirstBytes::usbip);
    CHECK(tell_first_bytes(bytes_of("\x01\x11\x80\x05")) == FirstBytes::usbip);
    CHECK(tell_first_bytes(bytes_of("\x01\x06")) == FirstBytes::neither);
    CHECK(tell_first_bytes(bytes_of("G")) == FirstBytes::neither);
    CHECK(tell_first_bytes(bytes_of("LCRX")) == FirstBytes::neither);
}

TEST_CASE("a preface that is cut, too long, marked otherwise or of another version is refused") {
    const auto good = format_stream_preface(Ticket{});
    for (std::size_t size = 0; size < good.size(); ++size)
        CHECK(!parse_stream_preface(std::span(good).first(size)));
    std::vector<std::uint8_t> longer(good.begin(), good.end());
    longer.push_back(0);
    CHECK(!parse_stream_preface(longer));
    auto other = good;
    other[0] = 'X';
    CHECK(!parse_stream_preface(other));
    other = good;
    other[7] = 2;
    const auto refused = parse_stream_preface(other);
    REQUIRE(!refused);
    CHECK(refused.error().message.find("version 2") != std::string::npos);
}

TEST_CASE("each secret is another one, and no key of it is zero") {
    const auto one = make_stream_secret();
    const auto other = make_stream_secret();
    REQUIRE((one.has_value() && other.has_value()));
    CHECK(!(one->ticket == other->ticket));
    CHECK(!(one->from_node == other->from_node));
    CHECK(!(one->from_node == one->from_pi));
    CHECK(!(one->from_pi == SealKey{}));
}

TEST_CASE("hexadecimal: both ways, exactly the right length, any case, nothing else") {
    std::uint8_t bytes[2] = {};
    CHECK(from_hex("0aFf", bytes, 2));
    CHECK(to_hex(bytes, 2) == "0aff");
    for (const char* bad : {"", "0aF", "0aFff", "0aFff0", "0a f", "0a-1", "zzzz"})
        CHECK_FALSE(from_hex(bad, bytes, 2));
}
