// SPDX-License-Identifier: MIT
#include "base/files.hpp"
#include "serial/serial_log.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

using namespace longcord;
namespace fs = std::filesystem;

TEST_CASE("a log never grows beyond its limit, and three files are kept") {
    const fs::path folder =
        fs::temp_directory_path() / ("longcord-log-" + std::to_string(::getpid()));
    fs::create_directories(folder);
    const fs::path log = folder / "board.log";
    const auto content = [](const fs::path& file) { return read_file(file, 100).value(); };
    REQUIRE(append_rotating(log, "12345", 10).has_value());
    REQUIRE(append_rotating(log, "67890", 10).has_value());
    CHECK(content(log) == "1234567890"); // full, and not moved before there is more
    CHECK_FALSE(fs::exists(folder / "board.log.1"));
    REQUIRE(append_rotating(log, "abc", 10).has_value());
    CHECK(content(log) == "abc");
    CHECK(content(folder / "board.log.1") == "1234567890");
    REQUIRE(append_rotating(log, "defghijklmnopqrstuvwxyz", 10).has_value());
    CHECK(content(folder / "board.log.2") == "abcdefghij");
    CHECK(content(folder / "board.log.1") == "klmnopqrst");
    CHECK(content(log) == "uvwxyz");
    REQUIRE(append_rotating(log, "0123456789", 10).has_value());
    CHECK_FALSE(fs::exists(folder / "board.log.3"));
    CHECK_FALSE(append_rotating(folder, "x", 10).has_value());
    CHECK_FALSE(append_rotating(folder / "no/where", "x", 10).has_value());
    fs::remove_all(folder);
}
