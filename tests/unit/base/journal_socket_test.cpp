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

namespace {

struct PlayedJournald {
    std::string folder = "/tmp/longcord-journal-XXXXXX";
    std::string path;
    UniqueFd socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};

    PlayedJournald() {
        REQUIRE(::mkdtemp(folder.data()) != nullptr);
        path = folder + "/socket";
    }
    ~PlayedJournald() {
        ::unlink(path.c_str());
        ::rmdir(folder.c_str());
    }
    void listen() const {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        const auto* generic = reinterpret_cast<const sockaddr*>(&address); // NOLINT
        REQUIRE(::bind(socket.get(), generic, sizeof address) == 0);
    }
};

} // namespace

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
    PlayedJournald journald;
    const JournalSocket journal(journald.path);
    CHECK_FALSE(journal.send("MESSAGE=a\n"));
    journald.listen();
    CHECK(journal.send("MESSAGE=b\n"));
    std::array<char, 64> got{};
    CHECK(::recv(journald.socket.get(), got.data(), got.size(), 0) == 10);
    CHECK(std::string(got.data()) == "MESSAGE=b\n");
}

TEST_CASE("a journald that takes nothing is not waited for") {
    PlayedJournald journald;
    journald.listen();
    const JournalSocket journal(journald.path);
    bool taken = true;
    for (int entry = 0; taken && entry < 100'000; ++entry) // its queue has an end
        taken = journal.send("MESSAGE=c\n");
    CHECK_FALSE(taken);
}

TEST_CASE("stderr is the journal only where systemd named that very file") {
    struct stat file {};
    REQUIRE(::fstat(STDERR_FILENO, &file) == 0);
    CHECK(stderr_is_journal(fmt::format("{}:{}", file.st_dev, file.st_ino)));
    CHECK_FALSE(stderr_is_journal(fmt::format("{}:{}", file.st_dev, file.st_ino + 1)));
    CHECK_FALSE(stderr_is_journal(""));
}
