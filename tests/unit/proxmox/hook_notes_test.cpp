// SPDX-License-Identifier: MIT
#include "fixture.hpp"
#include "proxmox/hook_notes.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/stat.h>

using namespace longcord;
namespace fs = std::filesystem;

namespace {

struct Hook {
    asio::io_context loop;
    TemporaryDirectory root;
    Roots roots{root.path()};
    fs::path file(const std::string& name) const { return roots.run() / "hook" / name; }
};

using Notes = std::vector<HookNote>;

} // namespace

TEST_CASE("the directory is made, for root only") {
    Hook hook;
    HookNotes notes(hook.loop, hook.roots);
    CHECK(fs::status(hook.roots.run() / "hook").permissions() == fs::perms::owner_all);
}

TEST_CASE("a note is read once and deleted") {
    Hook hook;
    HookNotes notes(hook.loop, hook.roots);
    Running<Notes> next(hook.loop, notes.next());
    CHECK_FALSE(next.poll());
    put(hook.file("100.post-start"), "");
    CHECK(next.get() == Notes{{100, "post-start"}});
    CHECK_FALSE(fs::exists(hook.file("100.post-start")));
    Running<Notes> again(hook.loop, notes.next());
    CHECK_FALSE(again.poll());
    put(hook.file("100.post-start"), "");
    CHECK(again.get() == Notes{{100, "post-start"}});
}

TEST_CASE("notes from before are read in the order in which they were left") {
    Hook hook;
    int second = 1000;
    for (const char* name : {"101.pre-stop", "100.post-stop", "100.pre-start"}) {
        put(hook.file(name), "");
        const timespec time{second++, 0};
        const timespec times[] = {time, time};
        REQUIRE(::utimensat(AT_FDCWD, hook.file(name).c_str(), times, 0) == 0);
    }
    HookNotes notes(hook.loop, hook.roots);
    CHECK(
        run(hook.loop, notes.next()) ==
        Notes{{101, "pre-stop"}, {100, "post-stop"}, {100, "pre-start"}});
}

TEST_CASE("what is no note stays, what lies in a note's place goes, a directory is no news") {
    Hook hook;
    put(hook.root.path() / "precious", "x");
    for (const char* name :
         {"README", "100", "100.", "0100.post-start", "100.POST", "100.post start", "x.post-start",
          ".post-start", "100.a.b"})
        put(hook.file(name), "");
    fs::create_directories(hook.file("103.post-start"));
    HookNotes notes(hook.loop, hook.roots);
    Running<Notes> next(hook.loop, notes.next());
    CHECK_FALSE(next.poll());
    fs::create_symlink(hook.root.path() / "precious", hook.file("101.post-start"));
    CHECK(next.get() == Notes{{101, "post-start"}});
    CHECK(fs::exists(hook.root.path() / "precious"));
    Running<Notes> fifo(hook.loop, notes.next());
    REQUIRE(::mkfifo(hook.file("102.post-start").c_str(), 0600) == 0);
    CHECK(fifo.get() == Notes{{102, "post-start"}});
    CHECK(fs::exists(hook.file("README")));
    CHECK(fs::exists(hook.file("103.post-start")));
}
