// SPDX-License-Identifier: MIT
#include "seal/record.hpp"

#include <algorithm>
#include <numeric>
#include <random>

#include <doctest/doctest.h>

using namespace longcord;

namespace {

/// Key 00 01 ... 1f, iv 40 41 ... 4b.
SealKey some_key() {
    SealKey key;
    std::iota(key.key.data(), key.key.data() + key.key.size, std::uint8_t{0});
    std::iota(key.iv.data(), key.iv.data() + key.iv.size, std::uint8_t{0x40});
    return key;
}

std::string from_hex_text(std::string_view text) {
    std::string bytes(text.size() / 2, '\0');
    REQUIRE(from_hex(text, reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()));
    return bytes;
}

std::string sealed(RecordSealer& sealer, const std::string& content) {
    std::string out;
    REQUIRE(sealer.seal(content, out).has_value());
    return out;
}

// Made with pyca/cryptography's ChaCha20Poly1305: records 0, 1 and 2 of some_key().
const char* const record_0 = "1703030016903110ed1d5d4303d0e538db7e2bbab81d4923e8f376"; // hello
const char* const record_1 = "1703030014bc33b27428bbff566d4b69c33ec6cc914c2d4dc0"; // "", 3 padding
const char* const record_2 =
    "170303001a267628cf780eaba3948679c2f01b90878f0394e0eb188818712c"; // world\0\0, 2 padding

} // namespace

TEST_CASE("known answers: header, cipher text and tag of the first record") {
    RecordSealer sealer(some_key());
    CHECK(sealed(sealer, "hello") == from_hex_text(record_0));
}

TEST_CASE("known answers: padding is removed, zeros of the content are not") {
    RecordOpener opener(some_key());
    std::string content;
    REQUIRE(opener.open(from_hex_text(std::string(record_0) + record_1 + record_2), content)
                .has_value());
    CHECK(content == std::string("helloworld\0\0", 12));
    CHECK(opener.pending() == 0);
}

TEST_CASE("whatever is sealed is opened, in whatever pieces it arrives") {
    std::mt19937 random(1);
    for (const std::size_t size :
         {std::size_t{1}, std::size_t{48}, max_record_content - 1, max_record_content,
          max_record_content + 1, 5 * max_record_content + 7}) {
        std::string content(size, '\0');
        std::ranges::generate(content, [&] { return static_cast<char>(random()); });
        RecordSealer sealer(some_key());
        std::string wire = sealed(sealer, content);
        wire += sealed(sealer, content);
        RecordOpener opener(some_key());
        std::string back;
        CAPTURE(size);
        for (std::size_t at = 0; at < wire.size();) {
            const std::size_t piece = std::min<std::size_t>(1 + random() % 9000, wire.size() - at);
            REQUIRE(opener.open(std::span(wire).subspan(at, piece), back).has_value());
            at += piece;
        }
        CHECK(back == content + content);
        CHECK(opener.pending() == 0);
    }
}

TEST_CASE("no content makes no record") {
    RecordSealer sealer(some_key());
    CHECK(sealed(sealer, "").empty());
}

TEST_CASE("every flipped bit ends the stream, and nothing of that record comes out") {
    RecordSealer sealer(some_key());
    const std::string wire = sealed(sealer, "hello");
    for (std::size_t bit = 0; bit < 8 * wire.size(); ++bit) {
        std::string changed = wire;
        changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
        RecordOpener opener(some_key());
        std::string content;
        const auto opened = opener.open(changed, content);
        CAPTURE(bit);
        CHECK(content.empty());
        // A longer length waits for more, and fails once that comes.
        if (opened)
            CHECK_FALSE(opener.open(std::string(70'000, 'x'), content).has_value());
        else
            CHECK(opened.error().kind == ErrorKind::protocol);
        CHECK(content.empty());
    }
}

TEST_CASE("a replayed, a lost and a swapped record end the stream") {
    RecordSealer sealer(some_key());
    const std::string first = sealed(sealer, "first");
    const std::string second = sealed(sealer, "second");
    const std::string third = sealed(sealer, "third");
    for (const auto& wire :
         {first + first, first + third, second + first, first + third + second}) {
        RecordOpener opener(some_key());
        std::string content;
        CHECK_FALSE(opener.open(wire, content).has_value());
        CHECK((content.empty() || content == "first"));
    }
}

TEST_CASE("the other direction's key opens nothing") {
    RecordSealer sealer(some_key());
    auto other = some_key();
    other.key.data()[0] ^= 1;
    RecordOpener opener(other);
    std::string content;
    CHECK_FALSE(opener.open(sealed(sealer, "hello"), content).has_value());
}

TEST_CASE("a record of another kind, too long, or without a type is refused at its header") {
    const auto opens = [](const std::string& wire) {
        RecordOpener opener(some_key());
        std::string content;
        return opener.open(wire, content).has_value();
    };
    CHECK_FALSE(opens(std::string("\x15\x03\x03\x00\x13", 5))); // an alert
    CHECK_FALSE(opens(std::string("\x17\x03\x01\x00\x13", 5))); // TLS 1.0
    CHECK_FALSE(opens(std::string("\x17\x03\x03\x00\x10", 5))); // a tag and no type
    CHECK(opens(std::string("\x17\x03\x03\x00\x11", 5)));
    CHECK(opens(std::string("\x17\x03\x03\x41\x00", 5))); // 2^14 + 256
    CHECK_FALSE(opens(std::string("\x17\x03\x03\x41\x01", 5)));
}
