// SPDX-License-Identifier: MIT
#include "base/unique_fd.hpp"
#include "fixture.hpp"
#include "proxmox/open_node.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>

using namespace longcord;
namespace fs = std::filesystem;

namespace {

struct Nodes {
    asio::io_context loop;
    TemporaryDirectory root;
    Roots roots{root.path()};
    std::string node(const std::string& name) const {
        return fs::canonical(root.path()) / "dev/bus/usb/003" / name;
    }
    std::string make(const std::string& name) const {
        put(node(name), "");
        return node(name);
    }
};

UniqueFd open_node(const std::string& node) {
    return UniqueFd(::open(node.c_str(), O_RDWR));
}

} // namespace

TEST_CASE("which process has a node open") {
    Nodes nodes;
    const auto one = nodes.make("004"), other = nodes.make("040");
    auto fd = open_node(one);
    CHECK(has_open(nodes.roots, ::getpid(), one));
    CHECK_FALSE(has_open(nodes.roots, ::getpid(), other));
    CHECK_FALSE(has_open(nodes.roots, 1, one));
    CHECK_FALSE(has_open(nodes.roots, 4'000'000, one));
    CHECK_FALSE(has_open(nodes.roots, ::getpid(), nodes.node("099")));
    fd.reset();
    CHECK_FALSE(has_open(nodes.roots, ::getpid(), one));
}

TEST_CASE("a node made anew under the name of one that left is another device") {
    Nodes nodes;
    const auto node = nodes.make("004");
    const auto fd = open_node(node);
    fs::remove(node);
    CHECK_FALSE(has_open(nodes.roots, ::getpid(), node));
    nodes.make("004");
    CHECK_FALSE(has_open(nodes.roots, ::getpid(), node));
}

TEST_CASE("a node reached by a symlinked root is the same node") {
    Nodes nodes;
    const auto node = nodes.make("004");
    fs::create_directory_symlink(nodes.root.path() / "dev", nodes.root.path() / "also");
    const auto fd = open_node(nodes.root.path() / "also/bus/usb/003/004");
    CHECK(has_open(nodes.roots, ::getpid(), node));
    CHECK(has_open(nodes.roots, ::getpid(), nodes.root.path() / "also/bus/usb/003/004"));
}

TEST_CASE("a close of a watched node is told, once for many") {
    Nodes nodes;
    const auto one = nodes.make("004"), other = nodes.make("005");
    NodeWatch watch(nodes.loop);
    REQUIRE(watch.watch(one).has_value());
    REQUIRE(watch.watch(one).has_value());
    Running<std::string> closed(nodes.loop, watch.closed());
    auto fd = open_node(one);
    open_node(other).reset();
    CHECK_FALSE(closed.poll());
    fd.reset();
    CHECK(closed.get() == one);

    for (int i = 0; i < 3; ++i)
        open_node(one).reset();
    CHECK(run(nodes.loop, watch.closed()) == one);
    Running<std::string> again(nodes.loop, watch.closed());
    CHECK_FALSE(again.poll());
    open_node(one).reset();
    CHECK(again.get() == one);
}

TEST_CASE("a forgotten node and a vanished one are silent; its successor is watched anew") {
    Nodes nodes;
    const auto one = nodes.make("004"), other = nodes.make("005");
    NodeWatch watch(nodes.loop);
    REQUIRE(watch.watch(one).has_value());
    REQUIRE(watch.watch(other).has_value());
    watch.forget(one);
    watch.forget(nodes.node("099"));
    fs::remove(other);
    open_node(one).reset();
    Running<std::string> closed(nodes.loop, watch.closed());
    CHECK_FALSE(closed.poll());
    CHECK(watch.watch(nodes.node("099")).error().kind == ErrorKind::not_found);
    nodes.make("005");
    REQUIRE(watch.watch(other).has_value());
    open_node(other).reset();
    CHECK(closed.get() == other);
}

TEST_CASE("after an overflow every watched node is asked about") {
    Nodes nodes;
    const auto one = nodes.make("004"), other = nodes.make("005"), quiet = nodes.make("006");
    NodeWatch watch(nodes.loop);
    for (const auto& node : {one, other, quiet})
        REQUIRE(watch.watch(node).has_value());
    int limit = 0;
    std::ifstream("/proc/sys/fs/inotify/max_queued_events") >> limit;
    for (int i = 0; i <= limit; ++i)
        open_node(i % 2 ? one : other).reset();
    std::vector<std::string> told;
    for (int i = 0; i < 3; ++i)
        told.push_back(run(nodes.loop, watch.closed()));
    CHECK(std::count(told.begin(), told.end(), quiet) == 1);
}
