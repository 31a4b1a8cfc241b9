// SPDX-License-Identifier: MIT
#include "base/directory_watch.hpp"
#include "base/files.hpp"
#include "base/inotify.hpp"
#include "base/wait_set.hpp"
#include "loop_fixture.hpp"

#include <algorithm>

#include <doctest/doctest.h>

using namespace longcord;
namespace fs = std::filesystem;

namespace {

/// Waits by a WaitSet until the directory's watch speaks, for at most `bound`.
Task<bool> wake(WaitSet& set, milliseconds bound) {
    const auto begun = Clock::now();
    co_await set.wait(Clock::now() + bound);
    co_return Clock::now() - begun < bound;
}

} // namespace

TEST_CASE("an event names its watch and the entry") {
    asio::io_context loop;
    TemporaryDirectory directory;
    Inotify inotify(loop);
    const auto watch = inotify.watch(directory.path(), IN_CREATE | IN_CLOSE_WRITE);
    REQUIRE(watch.has_value());
    Running<std::vector<InotifyEvent>> next(loop, inotify.next());
    CHECK_FALSE(next.poll());
    put(directory.path() / "100.pid", "1\n");
    const auto events = next.get();
    REQUIRE_FALSE(events.empty());
    CHECK(events.front().watch == *watch);
    CHECK(events.front().name == "100.pid");
    CHECK((events.front().mask & IN_CREATE) != 0);
    CHECK_FALSE(events.front().overflow());
}

TEST_CASE("a missing path is not found, and forgetting an unknown watch is harmless") {
    asio::io_context loop;
    Inotify inotify(loop);
    const auto watch = inotify.watch("/nonexistent/longcord", IN_CREATE);
    REQUIRE(watch.has_error());
    CHECK(watch.error().kind == ErrorKind::not_found);
    inotify.forget(12345);
}

TEST_CASE("more events than the queue holds end in an overflow") {
    asio::io_context loop;
    TemporaryDirectory directory;
    Inotify inotify(loop);
    REQUIRE(inotify.watch(directory.path(), IN_OPEN).has_value());
    const auto limit = read_attribute("/proc/sys/fs/inotify/max_queued_events");
    REQUIRE(limit.has_value());
    // Equal events in a row are merged: two names in turn.
    put(directory.path() / "a", "");
    put(directory.path() / "b", "");
    for (int i = 0; i < std::stoi(*limit); ++i)
        std::ifstream(directory.path() / (i % 2 ? "a" : "b"));
    const auto events = run(loop, inotify.next());
    CHECK(std::any_of(events.begin(), events.end(), [](auto& e) { return e.overflow(); }));
}

TEST_CASE("a directory is followed before it exists, and after it came back") {
    asio::io_context loop;
    TemporaryDirectory root;
    const auto target = root.path() / "run/qemu-server";
    DirectoryWatch watch(loop, target);
    WaitSet set(loop);
    set.add(watch.fd());

    for (const fs::path& step : {root.path() / "run", target}) {
        watch.arm();
        fs::create_directory(step);
        CHECK(run(loop, wake(set, seconds(30))));
        watch.drain();
    }
    watch.arm();
    put(target / "100.pid", "1");
    CHECK(run(loop, wake(set, seconds(30))));
    watch.drain();

    fs::remove_all(root.path() / "run");
    watch.arm();
    watch.drain();
    fs::create_directories(target);
    watch.arm();
    watch.drain();
    put(target / "101.pid", "1");
    CHECK(run(loop, wake(set, seconds(30))));
}

TEST_CASE("the watched directory's other content wakes nobody twice") {
    asio::io_context loop;
    TemporaryDirectory root;
    DirectoryWatch watch(loop, root.path());
    WaitSet set(loop);
    set.add(watch.fd());
    watch.arm();
    put(root.path() / "a", "x");
    CHECK(run(loop, wake(set, seconds(30))));
    watch.drain();
    watch.arm(); // arming again makes no event by itself
    CHECK_FALSE(run(loop, wake(set, milliseconds(1))));
}

TEST_CASE("a wait ends by time, again and again, and a removed descriptor is silent") {
    asio::io_context loop;
    TemporaryDirectory root;
    Inotify inotify(loop);
    REQUIRE(inotify.watch(root.path(), IN_CREATE).has_value());
    WaitSet set(loop);
    set.add(inotify.fd());
    CHECK_FALSE(run(loop, wake(set, milliseconds(1))));
    CHECK_FALSE(run(loop, wake(set, milliseconds(1))));
    put(root.path() / "a", "");
    CHECK(run(loop, wake(set, seconds(30))));
    CHECK(run(loop, wake(set, seconds(30)))); // not read yet: still ready
    set.remove(inotify.fd());
    CHECK_FALSE(run(loop, wake(set, milliseconds(1))));
}
