// SPDX-License-Identifier: MIT
#include "base/text.hpp"
#include "fake_sysfs.hpp"
#include "usb/sysfs_reader.hpp"

#include <doctest/doctest.h>

using namespace longcord;
using longcord::testing::FakeSysfs;
namespace fs = std::filesystem;

namespace {

struct Machine : FakeSysfs {
    Machine() {
        controller(3, "/devices/pci0000:00/0000:00:14.0");
        controller(4, "/devices/pci0000:00/0000:00:14.0");
        device("3-4", {{"bDeviceClass", "09"}, {"speed", "480"}});
    }
    LocalDevice read(const std::string& name) const {
        return read_local_device(roots(), name).value();
    }
};

} // namespace

TEST_CASE("a device is read whole") {
    Machine machine;
    machine.device(
        "3-4.1", {{"devnum", "17"},
                  {"serial", "A1"},
                  {"product", "USB Single Serial"},
                  {"manufacturer", "QinHeng"}});
    machine.bind("3-4.1", "usb");
    machine.interface("3-4.1", 0, {2, 2, 1}, "cdc_acm");
    machine.interface("3-4.1", 1, {10, 0, 0}, "cdc_acm");
    const auto local = machine.read("3-4.1");
    CHECK(local.device.place.to_string() == "3-4.1");
    CHECK(local.device.controller == "pci-0000:00:14.0");
    CHECK(local.device.id.to_string() == "1a86:55d4");
    CHECK(local.device.bcd_device == 0x0443);
    CHECK(local.device.speed == Speed::full);
    CHECK(local.device.devnum == 17);
    CHECK(local.device.serial == "A1");
    CHECK(local.device.product == "USB Single Serial");
    CHECK(local.device.manufacturer == "QinHeng");
    CHECK(local.device.interfaces == std::vector<InterfaceClass>{{2, 2, 1}, {10, 0, 0}});
    CHECK(local.sysfs_path == "3-4.1");
    CHECK(local.devpath == "/devices/pci0000:00/0000:00:14.0/usb3/3-4/3-4.1");
    CHECK(local.authorized);
    CHECK(local.configuration == 1);
    CHECK(local.device_driver == "usb");
    CHECK(local.drivers == std::vector<std::string>{"cdc_acm"});
    CHECK(local.driverless == 0);
    CHECK_FALSE(local.on_vhci);
    CHECK_FALSE(local.peer.has_value());
}

TEST_CASE("3-4 does not take the interfaces of 3-40 or 3-4.1") {
    Machine machine;
    machine.device("3-40");
    machine.interface("3-40", 0, {3, 1, 1}, "usbhid");
    machine.device("3-4.1");
    machine.interface("3-4.1", 0, {8, 6, 80}, "usb-storage");
    machine.interface("3-4", 0, {9, 0, 0}, "hub");
    machine.bind("3-4.1", "usb");
    CHECK(machine.read("3-4").drivers == std::vector<std::string>{"hub"});
    CHECK(machine.read("3-4").device.interfaces == std::vector<InterfaceClass>{{9, 0, 0}});
}

TEST_CASE("a device without a driver yet says so") {
    Machine machine;
    machine.device("3-4.1");
    machine.interface("3-4.1", 0, {255, 0, 0});
    CHECK(machine.read("3-4.1").drivers.empty());
    CHECK(machine.read("3-4.1").driverless == 1);
}

TEST_CASE("an exported device is not configured: its descriptors tell the interfaces") {
    Machine machine;
    const std::string descriptors(
        "\x09\x02\x00\x00\x01\x01\x00\x80\x32"
        "\x09\x04\x00\x00\x01\xff\x01\x02\x00",
        18);
    machine.device("3-4.1", {{"bConfigurationValue", ""}, {"descriptors", descriptors}});
    machine.bind("3-4.1", "usbip-host");
    const auto local = machine.read("3-4.1");
    CHECK(local.device_driver == "usbip-host");
    CHECK(local.configuration == 0);
    CHECK(local.device.interfaces == std::vector<InterfaceClass>{{255, 1, 2}});
}

TEST_CASE("network interfaces and disks of a device") {
    Machine machine;
    machine.device("3-4.1");
    auto folder = machine.interface("3-4.1", 0, {255, 255, 0}, "r8152");
    fs::create_directories(folder / "net/eth1");
    folder = machine.interface("3-4.1", 1, {8, 6, 80}, "usb-storage");
    fs::create_directories(folder / "host0/target0:0:0/0:0:0:0/block/sda/sda1");
    fs::create_directory_symlink(folder, folder / "host0/subsystem0"); // links are not followed
    CHECK(machine.read("3-4.1").networks == std::vector<std::string>{"eth1"});
    CHECK(machine.read("3-4.1").disks == std::vector<std::string>{"sda"});
}

TEST_CASE("the other half of a USB 3 port") {
    Machine machine;
    machine.device("3-2");
    const auto hub = machine.devices() / "usb4/4-0:1.0";
    fs::create_directories(hub / "usb4-port7");
    fs::create_directories(machine.devices() / "usb3/3-0:1.0/usb3-port2");
    fs::create_directory_symlink(
        fs::canonical(hub / "usb4-port7"), machine.devices() / "usb3/3-0:1.0/usb3-port2/peer");
    fs::create_directory_symlink(
        fs::canonical(machine.devices() / "usb3/3-0:1.0/usb3-port2"),
        machine.devices() / "3-2/port");
    const auto local = machine.read("3-2");
    REQUIRE(local.peer.has_value());
    CHECK(local.peer->to_string() == "4-7");
    CHECK(local.peer_devpath == "/devices/pci0000:00/0000:00:14.0/usb4/4-7");
}

TEST_CASE("strings of a device are made fit to be shown") {
    Machine machine;
    machine.device("3-4.1", {{"product", "ev\x1b[2Jil\xff"}, {"serial", std::string(300, 's')}});
    CHECK(machine.read("3-4.1").device.product == "ev?[2Jil?");
    CHECK(machine.read("3-4.1").device.serial.size() == max_device_string);
}

TEST_CASE("what is no device, and what is not there") {
    Machine machine;
    machine.device("3-4.1");
    machine.interface("3-4.1", 0, {3, 1, 1});
    const auto kind = [&](const char* name) {
        return read_local_device(machine.roots(), name).error().kind;
    };
    CHECK(kind("3-4.1:1.0") == ErrorKind::invalid);
    CHECK(kind("usb3") == ErrorKind::invalid);
    CHECK(kind("../usb3") == ErrorKind::invalid);
    CHECK(kind("workbench/3-4.1") == ErrorKind::invalid);
    CHECK(kind("3-4.2") == ErrorKind::not_found);
    machine.remove("3-4");
    CHECK(kind("3-4.1") == ErrorKind::not_found);
    CHECK(list_local_devices(machine.roots()).empty());
}

TEST_CASE("all devices come ordered by place, hubs included, without root hubs and interfaces") {
    Machine machine;
    for (const char* name : {"3-10", "3-9", "3-4.10", "3-4.2", "4-1"})
        machine.device(name);
    machine.interface("3-9", 0, {3, 1, 1});
    CHECK(
        list_local_devices(machine.roots()) ==
        std::vector<std::string>{"3-4", "3-4.2", "3-4.10", "3-9", "3-10", "4-1"});
    const auto devices = read_local_devices(machine.roots());
    REQUIRE(devices.size() == 6);
    CHECK(devices.front().device.is_hub());
    CHECK(devices.back().sysfs_path == "4-1");
}

TEST_CASE("a machine without USB has no devices") {
    const Roots nowhere{"/nonexistent"};
    CHECK(read_local_devices(nowhere).empty());
}

TEST_CASE("an imported device is known as one") {
    Machine machine;
    machine.controller(5, "/devices/platform/vhci_hcd.0");
    machine.device("5-1", {{"authorized", "0"}, {"bConfigurationValue", ""}});
    CHECK(machine.read("5-1").on_vhci);
    CHECK_FALSE(machine.read("5-1").authorized);
    CHECK(machine.read("5-1").device.controller == "platform-vhci_hcd.0");
}

TEST_CASE("ports are listed of root hubs and hubs, by place and controller; not those of vhci") {
    Machine machine;
    const auto set = [&](const char* hub, const char* count) {
        FakeSysfs::write(machine.devices() / hub / "maxchild", std::string(count) + "\n");
    };
    machine.controller(5, "/devices/platform/vhci_hcd.0");
    set("usb3", "2");
    set("3-4", "3");
    set("usb5", "8");
    machine.device("3-4.1", {{"maxchild", "0"}});
    std::vector<std::string> places;
    for (const auto& port : list_usb_ports(machine.roots())) {
        places.push_back(port.place.busid());
        CHECK(port.controller == "pci-0000:00:14.0");
    }
    CHECK(places == std::vector<std::string>{"3-4.1", "3-4.2", "3-4.3", "3-1", "3-2"});
    set("3-4", "256");
    CHECK(list_usb_ports(machine.roots()).size() == 2);
}

TEST_CASE("read again, a device is what it is, whatever it was") {
    Machine machine;
    const FakeSysfs::Attributes unconfigured{{"devnum", "17"}, {"bConfigurationValue", ""}};
    machine.device("3-4.1", unconfigured);
    machine.bind("3-4.1", "usb");
    const auto seen = machine.read("3-4.1");
    REQUIRE(seen.configuration == 0);
    const auto again = [&] { return read_again(machine.roots(), seen); };
    CHECK(again().value() == seen);
    SUBCASE("usbip-host has it") {
        machine.bind("3-4.1", "usbip-host");
        CHECK(again().value().device_driver == "usbip-host");
    }
    SUBCASE("this machine's drivers have it") {
        FakeSysfs::write(machine.devices() / "3-4.1/bConfigurationValue", "1\n");
        machine.interface("3-4.1", 0, {2, 2, 1}, "cdc_acm");
        CHECK(again().value().drivers == std::vector<std::string>{"cdc_acm"});
    }
    SUBCASE("another one is there") {
        machine.remove("3-4.1");
        machine.device("3-4.1", {{"devnum", "18"}, {"bConfigurationValue", ""}, {"serial", "B2"}});
        CHECK(again().value().device.serial == "B2");
    }
    SUBCASE("it is not authorised any more") {
        FakeSysfs::write(machine.devices() / "3-4.1/authorized", "0\n");
        CHECK_FALSE(again().value().authorized);
    }
    SUBCASE("it is gone") {
        machine.remove("3-4.1");
        CHECK(again().error().kind == ErrorKind::not_found);
        return;
    }
    CHECK(again().value() == machine.read("3-4.1"));
}
