// SPDX-License-Identifier: MIT
#include "base/journal_socket.hpp"

#include <array>
#include <string>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

using namespace longcord;

TEST_CASE("a field is NAME=value; one with a newline goes with its length, little-endian") {
    std::string entry;
    add_journal_field(entry, "MESSAGE", "plugged");
    add_journal_field(entry, "LONGCORD_PLACE", "");
    add_journal_field(entry, "TEXT", "a\nPRIORITY=0");
    CHECK(
        entry == "MESSAGE=plugged\nLONGCORD_PLACE=\nTEXT\n" + std::string("\x0c\0\0\0\0\0\0\0", 8) +
                     "a\nPRIORITY=0\n");
}

TEST_CASE("an entry is one datagram; where nobody listens it is not lost silently") {
    std::string folder = "/tmp/longcord-journal-XXXXXX";
    REQUIRE(::mkdtemp(folder.data()) != nullptr);
    const std::string path = folder + "/socket";
    const JournalSocket journal(path);
    CHECK_FALSE(journal.send("MESSAGE=a\n"));
    const UniqueFd listener(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    REQUIRE(
        ::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) ==
        0); // NOLINT
    CHECK(journal.send("MESSAGE=b\n"));
    std::array<char, 64> got{};
    CHECK(::recv(listener.get(), got.data(), got.size(), 0) == 10);
    CHECK(std::string(got.data()) == "MESSAGE=b\n");
    ::unlink(path.c_str());
    ::rmdir(folder.c_str());
}

TEST_CASE("a journald that takes nothing is not waited for") {
    std::string folder = "/tmp/longcord-journal-XXXXXX";
    REQUIRE(::mkdtemp(folder.data()) != nullptr);
    const std::string path = folder + "/socket";
    const UniqueFd listener(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    REQUIRE(
        ::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) ==
        0); // NOLINT
    const JournalSocket journal(path);
    bool taken = true;
    for (int entry = 0; taken && entry < 100'000; ++entry) // its queue has an end
        taken = journal.send("MESSAGE=c\n");
    CHECK_FALSE(taken);
    ::unlink(path.c_str());
    ::rmdir(folder.c_str());
}

TEST_CASE("stderr is the journal only where systemd named that very file") {
    struct stat file {};
    REQUIRE(::fstat(STDERR_FILENO, &file) == 0);
    CHECK(stderr_is_journal(fmt::format("{}:{}", file.st_dev, file.st_ino)));
    CHECK_FALSE(stderr_is_journal(fmt::format("{}:{}", file.st_dev, file.st_ino + 1)));
    CHECK_FALSE(stderr_is_journal(""));
}
