// SPDX-License-Identifier: MIT
// The real libcrypt.
#include "base/files.hpp"
#include "portal/password.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>
#include <unistd.h>

using namespace longcord;

namespace {

struct Folder {
    std::filesystem::path path;
    Folder() {
        std::string name = "/tmp/longcord-portal-XXXXXX";
        path = mkdtemp(name.data());
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { std::filesystem::remove_all(path); }
};

} // namespace

TEST_CASE(
    "what was set is verified, and nothing else; the file has a yescrypt hash for its owner") {
    const Folder folder;
    const auto name = folder.path / "portal/password";
    const PasswordFile file(name);
    CHECK(!file.is_set());
    CHECK(file.verify("correct horse").error().kind == ErrorKind::not_found);
    REQUIRE(file.set("correct horse").has_value());
    CHECK(file.is_set());
    CHECK(file.verify("correct horse").has_value());
    CHECK(file.verify("correct horsE").error().kind == ErrorKind::refused);
    CHECK(file.verify("").error().kind == ErrorKind::refused);
    CHECK(file.verify(std::string("correct horse\0x", 15)).error().kind == ErrorKind::refused);
    const auto first = read_file(name, 1024);
    REQUIRE(first.has_value());
    CHECK(first->starts_with("$y$"));
    CHECK(first->find("correct") == std::string::npos);
    struct stat about {};
    REQUIRE(::stat(name.c_str(), &about) == 0);
    CHECK((about.st_mode & 0777) == 0600);
    REQUIRE(file.set("correct horse").has_value());
    CHECK(*read_file(name, 1024) != *first); // another salt
}

TEST_CASE("a file that somebody has emptied lets nobody in") {
    const Folder folder;
    const auto name = folder.path / "password";
    for (const char* content : {"", "\n", "*", "correct horse", "$y$", "$y$j9T$"}) {
        REQUIRE(write_file(name, content).has_value());
        CHECK(PasswordFile(name).verify("correct horse").error().kind == ErrorKind::refused);
    }
}

TEST_CASE("8 to 256 bytes that can be typed") {
    CHECK(!check_password("1234567"));
    CHECK(check_password("12345678").has_value());
    CHECK(check_password(std::string(256, 'x')).has_value());
    CHECK(!check_password(std::string(257, 'x')));
    CHECK(check_password("pässwörter").has_value());
    CHECK(!check_password("tab\tin the middle"));
    CHECK(!check_password(std::string("nul\0in the middle", 17)));
    CHECK(!check_password("no \xff utf-8 here"));
}
