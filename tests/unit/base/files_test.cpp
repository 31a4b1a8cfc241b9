// SPDX-License-Identifier: MIT
#include "base/files.hpp"

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>

#include <doctest/doctest.h>

#include <sys/stat.h>

using namespace longcord;
namespace fs = std::filesystem;

namespace {

struct Folder {
    Folder() {
        std::string name = (fs::temp_directory_path() / "longcord-files-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path = name;
    }
    ~Folder() { fs::remove_all(path); }
    fs::path path;
};

constexpr std::size_t big = 256 * 1024;

} // namespace

TEST_CASE("a file that is written anew is the old one or the new one, never a part of either") {
    const Folder folder;
    const auto file = folder.path / "modes.json";
    const std::string one(big, '1');
    const std::string two(big, '2');
    REQUIRE(write_file(file, one).has_value());
    std::atomic<bool> done = false;
    std::atomic<bool> failed = false;
    std::thread writer([&] {
        for (int i = 0; i < 50; ++i)
            if (!write_file(file, i % 2 == 0 ? two : one).has_value())
                failed = true;
        done = true;
    });
    unsigned reads = 0;
    unsigned whole = 0;
    while (!done) {
        const auto text = read_file(file, 2 * big);
        ++reads;
        whole += text && (*text == one || *text == two) ? 1 : 0;
    }
    writer.join();
    CHECK_FALSE(failed);
    CHECK(reads > 0);
    CHECK(whole == reads);
}

TEST_CASE("a write that fails leaves the file as it was, and says which file") {
    const Folder folder;
    const auto file = folder.path / "modes.json";
    REQUIRE(write_file(file, "before").has_value());
    fs::create_directory(file.string() + ".tmp"); // nothing can be written there
    const auto written = write_file(file, "after");
    REQUIRE_FALSE(written.has_value());
    CHECK(written.error().message.find(file.string()) != std::string::npos);
    CHECK(*read_file(file, 100) == "before");
}

TEST_CASE("a file has the mode that it was given, and its folder is made") {
    const Folder folder;
    const auto file = folder.path / "var/lib/longcord/secret";
    REQUIRE(write_file(file, "x", 0600).has_value());
    struct stat status {};
    REQUIRE(::stat(file.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
}
