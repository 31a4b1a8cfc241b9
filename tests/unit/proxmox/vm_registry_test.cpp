// SPDX-License-Identifier: MIT
#include "fixture.hpp"
#include "proxmox/qemu_process.hpp"
#include "proxmox/vm_files.hpp"
#include "proxmox/vm_registry.hpp"

#include <boost/asio/local/stream_protocol.hpp>
#include <doctest/doctest.h>

using namespace longcord;
namespace fs = std::filesystem;
using namespace std::string_literals;

namespace {

struct Node {
    asio::io_context loop;
    TemporaryDirectory root;
    Roots roots{root.path()};
    std::vector<std::unique_ptr<asio::local::stream_protocol::acceptor>> sockets;

    fs::path file(const std::string& name) const { return roots.qemu_run() / name; }
    void open_qmp(unsigned vmid) {
        fs::create_directories(roots.qemu_run());
        const asio::local::stream_protocol::endpoint at(file(std::to_string(vmid) + ".qmp"));
        fs::remove(at.path());
        sockets.push_back(std::make_unique<asio::local::stream_protocol::acceptor>(loop, at));
    }
    std::vector<std::string> qemu(unsigned vmid) const {
        return fake_qemu(file(std::to_string(vmid) + ".pid"));
    }
    void start(const Child& child, unsigned vmid) {
        wait_for_exec(child.pid(), "-pidfile");
        put(file(std::to_string(vmid) + ".pid"), std::to_string(child.pid()) + "\n");
        open_qmp(vmid);
    }
};

using Vms = std::vector<RunningVm>;

} // namespace

TEST_CASE("which file belongs to which VM") {
    CHECK(vmid_of("100.usb.conf", ".usb.conf") == 100);
    CHECK(vmid_of("100.conf", ".conf") == 100);
    CHECK(vmid_of("999999999.conf", ".conf") == 999999999);
    for (const char* name :
         {"100.usb.conf", "0100.conf", "0.conf", ".conf", "-1.conf", "+1.conf", "100.conf.tmp.123",
          "1000000000.conf", "x100.conf", "100", "1 .conf"})
        CHECK_MESSAGE(!vmid_of(name, ".conf"), name);
}

TEST_CASE("a command line is a VM's by the argument after -pidfile") {
    CHECK(
        is_qemu_of("/usr/bin/kvm\0-id\0"s + "100\0-pidfile\0/var/run/qemu-server/100.pid\0"s, 100));
    CHECK(is_qemu_of("kvm\0-pidfile\0/run/qemu-server/100.pid"s, 100));
    CHECK(is_qemu_of("kvm\0-pidfile\0/tmp/x/run/qemu-server/100.pid\0"s, 100));
    CHECK_FALSE(is_qemu_of("kvm\0-pidfile\0/run/qemu-server/1100.pid\0"s, 100));
    CHECK_FALSE(is_qemu_of("kvm\0-pidfile\0/run/qemu-server/100.pid\0"s, 10));
    CHECK_FALSE(is_qemu_of("kvm\0-pidfile\0/run/notqemu-server/100.pid\0"s, 100));
    CHECK_FALSE(is_qemu_of("vi\0/run/qemu-server/100.pid\0"s, 100));
    CHECK_FALSE(is_qemu_of("kvm\0-pidfile\0"s, 100));
    CHECK_FALSE(is_qemu_of("", 100));
}

TEST_CASE("no directory: nobody runs; it appears, a VM starts, and exits") {
    Node node;
    VmRegistry registry(node.loop, node.roots);
    CHECK(run(node.loop, registry.next()).empty());

    Running<Vms> started(node.loop, registry.next());
    CHECK_FALSE(started.poll());
    Child qemu(node.qemu(100));
    node.start(qemu, 100);
    CHECK(started.get() == Vms{{100, qemu.pid(), node.file("100.qmp")}});

    Running<Vms> exited(node.loop, registry.next());
    CHECK_FALSE(exited.poll());
    qemu.kill();
    CHECK(exited.get().empty()); // a zombie still, and pidfile and socket linger
    CHECK(fs::exists(node.file("100.pid")));
}

TEST_CASE("what a crash left behind is no running VM") {
    Node node;
    Child other({"sh", "-c", "kill -STOP $$", "something", "else"});
    wait_for_exec(other.pid(), "else");
    put(node.file("100.pid"), std::to_string(other.pid())); // reused by another process
    node.open_qmp(100);
    put(node.file("101.pid"), "4000000\n"); // nobody
    node.open_qmp(101);
    put(node.file("102.pid"), "nonsense");
    put(node.file("103.pid"), "");
    put(node.file("104.pid"), "-1\n");
    put(node.file("105.pid"), "0\n");
    fs::create_directory(node.file("106.pid"));
    Child wrong(node.qemu(108)); // a QEMU, but not this VM's
    wait_for_exec(wrong.pid(), "-pidfile");
    put(node.file("107.pid"), std::to_string(wrong.pid()));
    node.open_qmp(107);
    VmRegistry registry(node.loop, node.roots);
    CHECK(run(node.loop, registry.next()).empty());
}

TEST_CASE("a pidfile seen before it is whole, and a socket that comes later") {
    Node node;
    Child qemu(node.qemu(100));
    wait_for_exec(qemu.pid(), "-pidfile");
    const auto pid = std::to_string(qemu.pid());
    VmRegistry registry(node.loop, node.roots);
    CHECK(run(node.loop, registry.next()).empty());

    Running<Vms> next(node.loop, registry.next());
    fs::create_directories(node.roots.qemu_run());
    std::ofstream file(node.file("100.pid")); // stays open, as QEMU keeps it
    CHECK_FALSE(next.poll());
    node.open_qmp(100);
    CHECK_FALSE(next.poll());
    file << pid.substr(0, 1) << std::flush;
    CHECK_FALSE(next.poll());
    file << pid.substr(1) << "\n" << std::flush;
    CHECK(next.get() == Vms{{100, qemu.pid(), node.file("100.qmp")}});

    Child second(node.qemu(101));
    Running<Vms> both(node.loop, registry.next());
    wait_for_exec(second.pid(), "-pidfile");
    put(node.file("101.pid"), std::to_string(second.pid()) + "\n");
    CHECK_FALSE(both.poll());
    node.open_qmp(101);
    CHECK(both.get().size() == 2);
}

TEST_CASE("a VM is there until its process exits, whatever is done to its files") {
    Node node;
    Child qemu(node.qemu(100));
    node.start(qemu, 100);
    VmRegistry registry(node.loop, node.roots);
    REQUIRE(run(node.loop, registry.next()).size() == 1);
    Running<Vms> next(node.loop, registry.next());
    fs::remove(node.file("100.pid"));
    fs::remove(node.file("100.qmp"));
    CHECK_FALSE(next.poll());
    fs::remove_all(node.roots.qemu_run());
    CHECK_FALSE(next.poll());
    qemu.kill();
    CHECK(next.get().empty());
}

TEST_CASE("a fast restart is another process, never nothing new") {
    Node node;
    Child first(node.qemu(100));
    node.start(first, 100);
    VmRegistry registry(node.loop, node.roots);
    REQUIRE(run(node.loop, registry.next()) == Vms{{100, first.pid(), node.file("100.qmp")}});
    // All of it between two looks of the registry.
    Child second(node.qemu(100));
    first.reap(SIGKILL);
    fs::remove(node.file("100.pid"));
    node.start(second, 100);
    CHECK(run(node.loop, registry.next()) == Vms{{100, second.pid(), node.file("100.qmp")}});
}

TEST_CASE("a test's own /proc is believed below its root") {
    Node node;
    Child process({"sh", "-c", "kill -STOP $$", "-pidfile"}); // its real arguments name no VM
    node.start(process, 100);
    const auto cmdline = node.roots.proc() / std::to_string(process.pid()) / "cmdline";
    put(cmdline, "kvm\0-pidfile\0/run/qemu-server/101.pid\0"s);
    VmRegistry registry(node.loop, node.roots);
    CHECK(run(node.loop, registry.next()).empty());
    put(cmdline, "kvm\0-pidfile\0/run/qemu-server/100.pid\0"s);
    put(node.file("wake"), "");
    CHECK(run(node.loop, registry.next()).size() == 1);
}

TEST_CASE("a real QEMU") {
    Node node;
    fs::create_directories(node.roots.qemu_run());
    VmRegistry registry(node.loop, node.roots);
    REQUIRE(run(node.loop, registry.next()).empty());
    const auto qmp = "socket,id=qmp,path=" + node.file("100.qmp").string() + ",server=on,wait=off";
    Child qemu(
        {"qemu-system-x86_64", "-S", "-display", "none", "-nodefaults", "-machine", "none",
         "-chardev", qmp, "-mon", "chardev=qmp,mode=control", "-pidfile", node.file("100.pid")});
    const auto running = run(node.loop, registry.next());
    REQUIRE(running.size() == 1);
    CHECK(running[0].vmid == 100);
    CHECK(running[0].pid == qemu.pid());
    Running<Vms> exited(node.loop, registry.next());
    CHECK_FALSE(exited.poll());
    qemu.kill(SIGTERM);
    CHECK(exited.get().empty());
}
