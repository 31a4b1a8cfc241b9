// SPDX-License-Identifier: MIT
#include "base/spawn.hpp"
#include "fake_sysfs.hpp"
#include "usb/host_use.hpp"
#include "usb/host_use_events.hpp"

#include <doctest/doctest.h>

using namespace longcord;
using longcord::testing::FakeSysfs;
namespace fs = std::filesystem;

namespace {

LocalDevice adapter() {
    LocalDevice local;
    local.networks = {"eth1", "phy0"};
    return local;
}

} // namespace

TEST_CASE("a network interface that is down and stands alone is in no use") {
    FakeSysfs machine;
    const auto eth1 = machine.roots().sys() / "class/net/eth1";
    CHECK(network_in_use(machine.roots(), adapter()).empty()); // gone meanwhile
    FakeSysfs::write(eth1 / "flags", "0x1002\n");
    CHECK(network_in_use(machine.roots(), adapter()).empty());
    FakeSysfs::write(eth1 / "flags", "no number\n");
    CHECK(network_in_use(machine.roots(), adapter()).empty());
}

TEST_CASE("one that is up, or part of a bridge, is in use even where it is down") {
    FakeSysfs machine;
    const auto eth1 = machine.roots().sys() / "class/net/eth1";
    FakeSysfs::write(eth1 / "flags", "0x1003\n");
    CHECK(network_in_use(machine.roots(), adapter()) == "its network interface eth1 is up");
    FakeSysfs::write(eth1 / "flags", "0x1002\n");
    SUBCASE("a bridge") {
        fs::create_symlink("../../virtual/net/vmbr0", eth1 / "master");
        CHECK(
            network_in_use(machine.roots(), adapter()) ==
            "its network interface eth1 is part of vmbr0");
    }
    SUBCASE("a VLAN on it") {
        fs::create_symlink("../../virtual/net/eth1.7", eth1 / "upper_eth1.7");
        CHECK(
            network_in_use(machine.roots(), adapter()) ==
            "its network interface eth1 is part of eth1.7");
    }
}

TEST_CASE("all of it at once, and of which device it was read") {
    FakeSysfs machine;
    LocalDevice local;
    local.device.devnum = 7;
    local.device_driver = "usbip-host";
    local.disks = {"sda"};
    fs::create_directories(machine.roots().dev());
    fs::create_symlink("sda", machine.roots().dev() / "sda"); // cannot be asked
    const auto use = read_host_use(machine.roots(), local);
    CHECK(use.devnum == 7);
    CHECK(use.exported);
    CHECK(use.disk == "sda");
}

TEST_CASE("the host's own events can be waited for") {
    asio::io_context loop;
    HostUseEvents events(loop, Roots{}); // the real ones; nothing needs to come
    spawn_guarded(loop, "uses", events.next());
    loop.run_for(milliseconds(20));
    CHECK_FALSE(guarded_task_failed());
}
