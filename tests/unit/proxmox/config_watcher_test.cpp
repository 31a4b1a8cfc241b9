// SPDX-License-Identifier: MIT
#include "base/spawn.hpp"
#include "fixture.hpp"
#include "proxmox/config_watcher.hpp"

#include <future>

#include <doctest/doctest.h>

#include <sys/stat.h>

using namespace longcord;
namespace fs = std::filesystem;

namespace {

/// /etc/pve as pmxcfs shows it: local -> nodes/pve1, qemu-server -> nodes/pve1/qemu-server.
struct Pve {
    asio::io_context loop;
    TemporaryDirectory root;
    Roots roots{root.path()};
    WorkerPool workers{loop};

    fs::path pve() const { return roots.pve(); }
    fs::path file(const std::string& name) const { return pve() / "qemu-server" / name; }
    void mount(const std::string& node = "pve1") const {
        const fs::path folder = "nodes/" + node;
        fs::create_directories(pve() / folder / "qemu-server");
        fs::remove(pve() / "local");
        fs::remove(pve() / "qemu-server");
        fs::create_symlink(folder, pve() / "local");
        fs::create_symlink(folder / "qemu-server", pve() / "qemu-server");
    }
};

/// So that only events can be what is noticed.
constexpr std::chrono::hours never{1};
constexpr milliseconds often{1};

/// Time for the watcher to look at least once: the loop waits for a worker and a timer.
Task<Result<int>> a_look(WorkerPool& workers) {
    co_await sleep_for(2 * often);
    const std::function<Result<int>()> nothing = [] { return Result<int>(0); };
    auto done = co_await workers.run<int>("another", seconds(60), nothing);
    co_return done;
}

/// Returns once the watcher has looked and waits.
void let_it_wait(Pve& pve) {
    pve.loop.restart();
    pve.loop.poll();
    while (pve.workers.in_flight(ConfigWatcher::job_key))
        pve.loop.run_one();
    pve.loop.poll();
}

/// A reader by itself, with a clock of the test's own.
struct Reading : Pve {
    Inotify inotify{loop};
    PveReader reader{roots, UniqueFd(::dup(inotify.fd()))};
    Result<PveContent> look(int ms) { return reader.look(TimePoint{} + milliseconds(ms)); }
};

} // namespace

TEST_CASE("no Proxmox at all: said once, in silence") {
    Pve pve;
    ConfigWatcher watcher(pve.loop, pve.workers, pve.roots, often);
    CHECK(run(pve.loop, watcher.next()) == PveSnapshot{});
    Running<PveSnapshot> next(pve.loop, watcher.next());
    CHECK_FALSE(next.poll());
    put(pve.root.path() / "etc/hosts", "");
    CHECK_FALSE(next.poll());
    pve.mount(); // and then it becomes one
    CHECK(next.get().present);
}

TEST_CASE("configurations and rules, and nothing that only looks alike") {
    Pve pve;
    pve.mount();
    put(pve.file("100.conf"), "name: a\n");
    put(pve.file("101.conf"), "name: b\nlock: backup\n");
    put(pve.file("100.usb.conf"), "3-4\n");
    put(pve.file("100.usb.conf.tmp.123"), "9-9\n");
    put(pve.file("100.conf.tmp.123"), "name: half\n");
    put(pve.file("0100.usb.conf"), "9-9\n");
    put(pve.file("usb.conf"), "9-9\n");
    ConfigWatcher watcher(pve.loop, pve.workers, pve.roots);
    const auto snapshot = run(pve.loop, watcher.next());
    CHECK(snapshot.present);
    CHECK(snapshot.configs.size() == 2);
    CHECK(snapshot.configs.at(101).lock == VmLock::backup);
    CHECK(snapshot.rules == RulesTexts{{100, {pve.file("100.usb.conf"), "3-4\n", false, {}}}});
}

TEST_CASE("a write and a rename are told, and what changes nothing is not") {
    Pve pve;
    pve.mount();
    ConfigWatcher watcher(pve.loop, pve.workers, pve.roots, never);
    REQUIRE(run(pve.loop, watcher.next()).rules.empty());

    Running<PveSnapshot> written(pve.loop, watcher.next());
    let_it_wait(pve);
    put(pve.file("100.usb.conf"), "3-4\n");
    CHECK(written.get().rules.at(100).text == "3-4\n");

    Running<PveSnapshot> renamed(pve.loop, watcher.next());
    let_it_wait(pve);
    put(pve.file("100.usb.conf"), "3-4\n"); // the same again
    let_it_wait(pve);
    CHECK_FALSE(renamed.finished());
    put(pve.file("100.usb.conf.tmp.77"), "3-5\n");
    fs::rename(pve.file("100.usb.conf.tmp.77"), pve.file("100.usb.conf"));
    CHECK(renamed.get().rules.at(100).text == "3-5\n");

    Running<PveSnapshot> locked(pve.loop, watcher.next());
    let_it_wait(pve);
    put(pve.file("100.conf"), "lock: migrate\n");
    CHECK(locked.get().configs.at(100).lock == VmLock::migrate);
}

TEST_CASE("what makes no event here is found by looking") {
    Pve pve;
    pve.mount("pve1");
    ConfigWatcher watcher(pve.loop, pve.workers, pve.roots, often);
    REQUIRE(run(pve.loop, watcher.next()).rules.empty());
    put(pve.pve() / "nodes/pve2/qemu-server/100.usb.conf", "3-4\n");
    Running<PveSnapshot> next(pve.loop, watcher.next());
    pve.mount("pve2"); // no watch is on /etc/pve itself
    CHECK(next.get().rules.at(100).text == "3-4\n");
}

TEST_CASE("a vanished rules file counts in the end") {
    Pve pve;
    pve.mount();
    put(pve.file("100.usb.conf"), "3-4\n");
    ConfigWatcher watcher(pve.loop, pve.workers, pve.roots, never);
    REQUIRE(run(pve.loop, watcher.next()).rules.size() == 1);
    const auto begun = Clock::now();
    Running<PveSnapshot> next(pve.loop, watcher.next());
    fs::remove(pve.file("100.usb.conf"));
    CHECK(next.get().rules.empty());
    CHECK(Clock::now() - begun >= StableRules::settle_time);
}

TEST_CASE("an empty rules file at the start is waited for") {
    Pve pve;
    pve.mount();
    put(pve.file("100.usb.conf"), "");
    ConfigWatcher watcher(pve.loop, pve.workers, pve.roots, often);
    Running<PveSnapshot> first(pve.loop, watcher.next());
    let_it_wait(pve);
    CHECK_FALSE(first.finished());
    put(pve.file("100.usb.conf"), "3-4\n"); // its writer was only slow
    CHECK(first.get().rules.at(100).text == "3-4\n");
}

TEST_CASE("while pmxcfs is away nothing changes") {
    Pve pve;
    pve.mount();
    put(pve.file("100.conf"), "name: a\n");
    put(pve.file("100.usb.conf"), "3-4\n");
    ConfigWatcher watcher(pve.loop, pve.workers, pve.roots, often);
    REQUIRE(run(pve.loop, watcher.next()).configs.size() == 1);
    Running<PveSnapshot> next(pve.loop, watcher.next());
    const auto aside = pve.root.path() / "aside";
    fs::rename(pve.pve(), aside);
    fs::create_directories(pve.pve());
    for (int looks = 0; looks < 10; ++looks)
        run(pve.loop, a_look(pve.workers));
    CHECK_FALSE(next.poll());
    fs::remove(pve.pve());
    fs::rename(aside, pve.pve());
    put(pve.file("101.usb.conf"), "3-5\n");
    const auto back = next.get();
    CHECK(back.configs.size() == 1);
    CHECK(back.rules.size() == 2);
}

TEST_CASE("while a look hangs in the kernel nothing changes, and then it goes on") {
    Pve pve;
    pve.mount();
    put(pve.file("100.usb.conf"), "3-4\n");
    ConfigWatcher watcher(pve.loop, pve.workers, pve.roots, often);
    REQUIRE(run(pve.loop, watcher.next()).rules.size() == 1);
    std::promise<void> released;
    const std::function<Result<int>()> hang = [hung = released.get_future().share()] {
        hung.wait();
        return Result<int>(0);
    };
    Running<Result<int>> hanging(
        pve.loop, pve.workers.run<int>(ConfigWatcher::job_key, seconds(60), hang));
    CHECK_FALSE(hanging.poll());
    Running<PveSnapshot> next(pve.loop, watcher.next());
    put(pve.file("100.usb.conf"), "3-5\n");
    for (int looks = 0; looks < 10; ++looks)
        run(pve.loop, a_look(pve.workers));
    CHECK_FALSE(next.poll());
    released.set_value();
    CHECK(next.get().rules.at(100).text == "3-5\n");
    CHECK(hanging.finished());
}

TEST_CASE("no Proxmox, pmxcfs away, and a Proxmox node are three things") {
    Reading node;
    CHECK(node.look(0).error().kind == ErrorKind::not_found);
    fs::create_directories(node.pve());
    CHECK(node.look(0).error().kind == ErrorKind::not_found);
    fs::create_directories(node.root.path() / "var/lib/pve-cluster");
    CHECK(node.look(0).error().kind == ErrorKind::unavailable);
    node.mount();
    CHECK(node.look(0).has_value());
    fs::remove(node.pve() / "local");
    CHECK(node.look(0).error().kind == ErrorKind::unavailable);
}

TEST_CASE("a second write in the same second, of the same size, is found") {
    Reading node;
    node.mount();
    const auto file = node.file("100.usb.conf");
    const auto write = [&](const char* text) {
        put(file, text);
        const timespec second{1'700'000'000, 0};
        const timespec times[] = {second, second};
        REQUIRE(::utimensat(AT_FDCWD, file.c_str(), times, 0) == 0);
    };
    write("3-4\n");
    CHECK(node.look(0)->rules.at(100).text == "3-4\n");
    write("3-5\n");
    CHECK(node.look(2000)->rules.at(100).text == "3-5\n");
    write("3-6\n"); // long after, with the same stamp: believed for a while, not for ever
    CHECK(node.look(4000)->rules.at(100).text == "3-5\n");
    CHECK(node.look(32'000)->rules.at(100).text == "3-6\n");
}

TEST_CASE("an empty configuration is one that is being written") {
    Reading node;
    node.mount();
    put(node.file("100.conf"), "lock: migrate\n");
    REQUIRE(node.look(0)->configs.at(100).lock == VmLock::migrate);
    put(node.file("100.conf"), "");
    CHECK(node.look(2000)->configs.at(100).lock == VmLock::migrate);
    fs::remove(node.file("100.conf"));
    CHECK(node.look(4000)->configs.empty());
}

TEST_CASE("a file that cannot be read keeps what it held, and is named") {
    Reading node;
    node.mount();
    put(node.file("100.usb.conf"), "3-4\n");
    put(node.file("101.usb.conf"), "3-5\n");
    REQUIRE(node.look(0)->problems.empty());
    fs::remove(node.file("100.usb.conf"));
    fs::create_directory(node.file("100.usb.conf"));
    put(node.file("101.usb.conf"), std::string(1024 * 1024 + 1, '#'));
    fs::create_directory(node.file("102.usb.conf"));
    REQUIRE(::mkfifo(node.file("103.usb.conf").c_str(), 0600) == 0);
    const auto content = node.look(2000);
    REQUIRE(content.has_value());
    CHECK(content->rules.at(100).text == "3-4\n");
    CHECK(content->rules.at(101).text == "3-5\n");
    CHECK(content->rules.count(102) == 0);
    CHECK(content->problems.size() == 3);
}

TEST_CASE("rules that lie where the VM ran before count for it, and for no VM of that other node") {
    Reading node;
    node.mount("pve1");
    const auto other = node.pve() / "nodes/pve2/qemu-server";
    put(node.file("100.conf"), "name: a\n");
    put(other / "100.usb.conf", "3-4\n");
    put(other / "101.conf", "name: b\n");
    put(other / "101.usb.conf", "3-5\n");
    put(other / "102.usb.conf", "3-6\n"); // of nobody
    auto seen = node.look(0);
    REQUIRE(seen.has_value());
    CHECK(seen->rules == RulesTexts{{100, {other / "100.usb.conf", "3-4\n", true, {}}}});
    CHECK(seen->configs.size() == 1);
    CHECK(seen->vmids == std::set<unsigned>{100, 101});
    SUBCASE("the file of this node counts, and the other one is named") {
        put(node.file("100.usb.conf"), "3-7\n");
        CHECK(
            node.look(2000)->rules ==
            RulesTexts{
                {100, {node.file("100.usb.conf"), "3-7\n", false, {other / "100.usb.conf"}}}});
    }
    SUBCASE("of two others the newer one") {
        const auto third = node.pve() / "nodes/pve3/qemu-server/100.usb.conf";
        put(third, "3-8\n");
        fs::last_write_time(third, fs::last_write_time(other / "100.usb.conf") + seconds(5));
        CHECK(node.look(2000)->rules.at(100).text == "3-8\n");
        fs::last_write_time(third, fs::last_write_time(other / "100.usb.conf") - seconds(5));
        seen = node.look(4000);
        CHECK(seen->rules.at(100).text == "3-4\n");
        CHECK(seen->rules.at(100).others == std::vector<fs::path>{third});
    }
}

TEST_CASE("mappings, intents and the quorum are part of a look") {
    Reading node;
    node.mount();
    auto seen = node.look(0);
    CHECK(seen->mappings.empty());
    CHECK(seen->intents.empty());
    CHECK(seen->quorate); // no cluster
    put(node.pve() / "mapping/usb.cfg", "board\n\tmap node=pve1,id=1a86:55d4\n");
    put(node.pve() / "longcord/vm/100.json", "{}\n");
    put(node.pve() / "longcord/vm/100.json.tmp", "half");
    put(node.pve() / ".members",
        R"({"nodename":"pve1","cluster":{"name":"c","nodes":2,"quorate":0}})");
    seen = node.look(2000);
    CHECK(seen->mappings.contains("board"));
    CHECK(seen->intents == std::map<unsigned, std::string>{{100, "{}\n"}});
    CHECK_FALSE(seen->quorate);
    put(node.pve() / ".members", R"({"cluster":{"quorate":1}})");
    CHECK(node.look(4000)->quorate);
    put(node.pve() / ".members", "no JSON");
    CHECK(node.look(6000)->quorate); // then the write itself tells
}
