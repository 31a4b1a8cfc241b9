// SPDX-License-Identifier: MIT
#include "fake_sysfs.hpp"
#include "usb/disk_use.hpp"

#include <doctest/doctest.h>

using namespace longcord;
using longcord::testing::FakeSysfs;
namespace fs = std::filesystem;

TEST_CASE("a device without disks, or whose disks are gone or free, is in no use") {
    FakeSysfs machine;
    LocalDevice local;
    CHECK_FALSE(disk_in_use(machine.roots(), local).has_value());
    local.disks = {"sda", "sdb"};
    CHECK_FALSE(disk_in_use(machine.roots(), local).has_value());
    FakeSysfs::write(machine.roots().dev() / "sdb", "");
    CHECK_FALSE(disk_in_use(machine.roots(), local).has_value());
}

TEST_CASE("a disk that cannot be asked counts as in use") {
    FakeSysfs machine;
    fs::create_directories(machine.roots().dev());
    fs::create_symlink("sda", machine.roots().dev() / "sda"); // ELOOP, for root too
    LocalDevice local;
    local.disks = {"sda"};
    CHECK(disk_in_use(machine.roots(), local) == "sda");
}
