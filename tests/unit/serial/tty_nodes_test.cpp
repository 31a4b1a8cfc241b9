// SPDX-License-Identifier: MIT
#include "serial/port_mode.hpp"
#include "serial/tty_nodes.hpp"

#include <fstream>

#include <doctest/doctest.h>

#include <unistd.h>

using namespace longcord;
namespace fs = std::filesystem;

namespace {

struct Machine {
    Roots roots{fs::temp_directory_path() / ("longcord-tty-" + std::to_string(::getpid()))};
    fs::path device = roots.sys() / "devices/usb1/1-1.2";

    Machine() {
        fs::create_directories(device);
        fs::create_directories(roots.sys() / "bus/usb/devices");
        fs::create_directories(roots.sys() / "class/tty");
        fs::create_directories(roots.dev());
        fs::create_directory_symlink(device, roots.sys() / "bus/usb/devices/1-1.2");
        std::ofstream(device / "idVendor") << "10c4\n";
        std::ofstream(device / "idProduct") << "ea60\n";
    }
    Machine(const Machine&) = delete;
    Machine& operator=(const Machine&) = delete;
    ~Machine() { fs::remove_all(roots.prefix); }
};

} // namespace

TEST_CASE("terminals of usb-serial and of cdc_acm are found, by interface") {
    const Machine machine;
    fs::create_directories(machine.device / "1-1.2:1.1/ttyUSB3/tty/ttyUSB3");
    fs::create_directories(machine.device / "1-1.2:1.0/ttyUSB7/tty/ttyUSB7");
    fs::create_directories(machine.device / "1-1.2:1.2/tty/ttyACM0");
    fs::create_directories(machine.device / "1-1.2:1.2/power");
    fs::create_directories(machine.device / "1-1.2.4/1-1.2.4:1.0/ttyUSB9/tty/ttyUSB9");
    const auto dev = machine.roots.dev();
    CHECK(
        tty_nodes(machine.roots, "1-1.2") ==
        std::vector<TtyNode>{
            {"1.0", dev / "ttyUSB7"}, {"1.1", dev / "ttyUSB3"}, {"1.2", dev / "ttyACM0"}});
    CHECK(tty_nodes(machine.roots, "1-9").empty());
}

TEST_CASE("a terminal's chip is found from its port and from its interface") {
    const Machine machine;
    const auto port = machine.device / "1-1.2:1.0/ttyUSB7";
    fs::create_directories(port / "tty/ttyUSB7");
    fs::create_directories(machine.roots.sys() / "class/tty/ttyUSB7");
    fs::create_directory_symlink(port, machine.roots.sys() / "class/tty/ttyUSB7/device");
    std::ofstream(machine.roots.dev() / "ttyUSB7") << "";
    const auto id = usb_id_of_tty(machine.roots, machine.roots.dev() / "ttyUSB7");
    REQUIRE(id.has_value());
    CHECK(id->to_string() == "10c4:ea60");
    std::ofstream(machine.roots.dev() / "ttyS0") << "";
    CHECK_FALSE(usb_id_of_tty(machine.roots, machine.roots.dev() / "ttyS0").has_value());
}

TEST_CASE("bridge chips are esp, Espressif's own USB and everything else is passed through") {
    for (const char* bridge : {"10c4:ea60", "1a86:7523", "1a86:55d4", "0403:6001", "067b:2303"})
        CHECK(mode_of(UsbId::parse(bridge).value()) == PortMode::esp);
    for (const char* other : {"303a:1001", "303a:1002", "2341:0043"})
        CHECK(mode_of(UsbId::parse(other).value()) == PortMode::passthrough);
    CHECK(mode_of(std::nullopt) == PortMode::passthrough);
    CHECK(parse_mode("auto").value() == ModeChoice());
    CHECK(parse_mode("esp").value() == ModeChoice(PortMode::esp));
    CHECK_FALSE(parse_mode("ESP").has_value());
}
