// SPDX-License-Identifier: MIT
#include "qmp/usb_host.hpp"

#include <doctest/doctest.h>

using namespace longcord;

static const PlugCommand good{"usbhost3-4.1", "/dev/bus/usb/003/007", "xhci.0", 5, {}};

TEST_CASE("device_add: numbers as numbers, the port as text") {
    PlugCommand plug = good;
    plug.properties = {{"guest-reset", false}, {"isobufs", std::int64_t{16}}, {"pcap", "/tmp/x"}};
    const auto command = device_add(plug);
    REQUIRE(command.has_value());
    CHECK(command->execute == "device_add");
    CHECK(
        command->arguments.dump() ==
        R"({"bus":"xhci.0","driver":"usb-host","guest-reset":false,)"
        R"("hostdevice":"/dev/bus/usb/003/007","id":"usbhost3-4.1","isobufs":16,)"
        R"("pcap":"/tmp/x","port":"5"})");
}

TEST_CASE("a device_add that names no node, bus or port is never made") {
    const auto refused = [](auto change) {
        PlugCommand plug = good;
        change(plug);
        const auto command = device_add(plug);
        return command.has_error() && command.error().kind == ErrorKind::invalid;
    };
    CHECK_FALSE(refused([](PlugCommand&) {}));
    CHECK(refused([](PlugCommand& p) { p.hostdevice = ""; }));
    CHECK(refused([](PlugCommand& p) { p.hostdevice = "dev/bus/usb/003/007"; }));
    CHECK(refused([](PlugCommand& p) { p.hostdevice = "/dev/sda"; }));
    CHECK(refused([](PlugCommand& p) { p.hostdevice += '\n'; }));
    CHECK(refused([](PlugCommand& p) { p.bus = ""; }));
    CHECK(refused([](PlugCommand& p) { p.port = 0; }));
    CHECK(refused([](PlugCommand& p) { p.port = 256; }));
    for (const char* name :
         {"id", "driver", "bus", "port", "hostdevice", "hostbus", "hostaddr", "hostport",
          "vendorid", "productid", "", "Guest", "a.b", "x\"y"})
        CHECK(refused([&](PlugCommand& p) { p.properties = {{name, true}}; }));
}

TEST_CASE("what is not ours is neither put in nor taken out") {
    for (const char* id : {"usb0", "tablet", "usbhost", "xhci", ""}) {
        CAPTURE(id);
        PlugCommand plug = good;
        plug.id = id;
        CHECK(device_add(plug).has_error());
        CHECK(device_del({id}).has_error());
    }
    const auto command = device_del({"usbhost-workbench-1-1.2"});
    REQUIRE(command.has_value());
    CHECK(command->arguments.dump() == R"({"id":"usbhost-workbench-1-1.2"})");
}
