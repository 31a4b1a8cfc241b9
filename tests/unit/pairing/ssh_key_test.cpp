// SPDX-License-Identifier: MIT
#include "base/files.hpp"
#include "pairing/ssh_key.hpp"

#include <cstdio>
#include <filesystem>
#include <string>

#include <doctest/doctest.h>

#include <unistd.h>

using namespace longcord;

static KeySeed seed_of(std::string_view hex) {
    KeySeed seed;
    REQUIRE(from_hex(hex, seed.data(), seed.size));
    return seed;
}

static std::string run(const std::string& command) {
    FILE* pipe = ::popen(command.c_str(), "r"); // NOLINT(cert-env33-c): the tests' own words
    std::string out;
    for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe))
        out += static_cast<char>(c);
    ::pclose(pipe);
    return out;
}

TEST_CASE("a seed's public half: RFC 8032, 7.1, test 1") {
    const auto key =
        public_key_of(seed_of("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"));
    REQUIRE(key.has_value());
    CHECK(key->type == "ssh-ed25519");
    CHECK(key->blob == "AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea");
    CHECK(parse_public_key(key->type + ' ' + key->blob).has_value());
}

TEST_CASE("ssh-keygen reads our private key, and shows the fingerprint that we show") {
    const auto file =
        std::filesystem::temp_directory_path() / ("longcord-key-" + std::to_string(::getpid()));
    const auto seed = make_key_seed();
    REQUIRE(seed.has_value());
    const auto text = private_key_file(*seed, "a Pi");
    REQUIRE(text.has_value());
    REQUIRE(write_file(file, *text, 0600).has_value());
    const auto key = public_key_of(*seed);
    CHECK(run("ssh-keygen -y -f " + file.string()) == key->type + ' ' + key->blob + " a Pi\n");
    const std::string shown = run("ssh-keygen -l -f " + file.string());
    CHECK_MESSAGE(shown.find(' ' + fingerprint_of(*key) + ' ') != std::string::npos, shown);
    std::filesystem::remove(file);
}

TEST_CASE("two seeds are two keys") {
    CHECK(!(*make_key_seed() == *make_key_seed()));
}

TEST_CASE("a fingerprint is 32 bytes in text") {
    const std::string bytes(32, '\x7f');
    CHECK(fingerprint_bytes(fingerprint_text(bytes)) == bytes);
    for (const char* bad : {"", "SHA256:", "SHA256:AAAA", "MD5:aa:bb", "sha256:"})
        CHECK(!fingerprint_bytes(bad));
}
