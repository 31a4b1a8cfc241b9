// SPDX-License-Identifier: MIT
#include "fake_sys.hpp"
#include "result_text.hpp"
#include "usbip/export.hpp"

#include <doctest/doctest.h>

using namespace longcord;
using namespace longcord::test;

namespace {

const std::string devices = "bus/usb/devices/";
const std::string usbip_host = "bus/usb/drivers/usbip-host/";

/// 1-1.2, with the host's own driver; usbip-host is loaded. All writes go to the log.
void add_device(FakeSys& sys, const std::string& driver = "usb") {
    sys.folder("devices/platform/fe9c0000.xhci/usb1/1-1/1-1.2");
    sys.link(devices + "1-1.2", "devices/platform/fe9c0000.xhci/usb1/1-1/1-1.2");
    sys.file(devices + "1-1.2/bDeviceClass", "02\n");
    for (const char* file : {"match_busid", "bind", "unbind", "rebind"})
        sys.log(usbip_host + file);
    sys.log("bus/usb/drivers/usb/unbind");
    sys.log("bus/usb/drivers_probe");
    sys.link(devices + "1-1.2/driver", "bus/usb/drivers/" + driver);
}

} // namespace

TEST_CASE("bind: unbind from the present driver, match_busid, bind; without a newline anywhere") {
    FakeSys sys;
    add_device(sys);
    CHECK(UsbipHost(sys.roots).present());
    REQUIRE(UsbipHost(sys.roots).bind("1-1.2"));
    CHECK(
        sys.written() == "1-1.2"
                         "add 1-1.2"
                         "1-1.2");
}

TEST_CASE("a device without a driver is bound without an unbind") {
    FakeSys sys;
    add_device(sys);
    std::filesystem::remove(sys.sys(devices + "1-1.2/driver"));
    REQUIRE(UsbipHost(sys.roots).bind("1-1.2"));
    CHECK(sys.written() == "add 1-1.21-1.2");
}

TEST_CASE("what is bound stays bound") {
    FakeSys sys;
    add_device(sys, "usbip-host");
    CHECK(UsbipHost(sys.roots).bind("1-1.2"));
    CHECK(sys.written().empty());
}

TEST_CASE("hubs and imported devices keep their driver") {
    FakeSys sys;
    add_device(sys);
    sys.file(devices + "1-1.2/bDeviceClass", "09\n");
    CHECK(UsbipHost(sys.roots).bind("1-1.2").error().kind == ErrorKind::refused);
    sys.folder("devices/platform/vhci_hcd.0/usb5/5-1");
    sys.link(devices + "5-1", "devices/platform/vhci_hcd.0/usb5/5-1");
    sys.file(devices + "5-1/bDeviceClass", "02\n");
    CHECK(UsbipHost(sys.roots).bind("5-1").error().kind == ErrorKind::refused);
    CHECK(sys.written().empty());
}

TEST_CASE("a seventeenth export is refused by the limit's name, and the device goes back") {
    FakeSys sys;
    add_device(sys);
    sys.link(usbip_host + "match_busid", "/dev/full");
    const auto bound = UsbipHost(sys.roots).bind("1-1.2");
    CHECK(bound.error().kind == ErrorKind::full);
    CHECK(bound.error().message.find("16 exports") != std::string::npos);
    CHECK(
        sys.written() == "1-1.2"   // unbind
                         "1-1.2"); // drivers_probe
}

TEST_CASE("a device that usbip-host does not take goes back to its own driver") {
    FakeSys sys;
    add_device(sys);
    sys.link(usbip_host + "bind", "/dev/full");
    CHECK_FALSE(UsbipHost(sys.roots).bind("1-1.2"));
    CHECK(
        sys.written() == "1-1.2" // unbind
                         "add 1-1.2"
                         "del 1-1.2"
                         "1-1.2"); // drivers_probe
}

TEST_CASE("unbind: usbip-host's unbind, match_busid, rebind") {
    FakeSys sys;
    add_device(sys, "usbip-host");
    REQUIRE(UsbipHost(sys.roots).unbind("1-1.2"));
    CHECK(
        sys.written() == "1-1.2"
                         "del 1-1.2"
                         "1-1.2");
}

TEST_CASE("a socket is handed to a device that is available, and to no other") {
    FakeSys sys;
    add_device(sys, "usbip-host");
    sys.log(devices + "1-1.2/usbip_sockfd");
    const UsbipHost host(sys.roots);
    CHECK(host.serve("1-1.2", 7).error().kind == ErrorKind::not_found);
    sys.file(devices + "1-1.2/usbip_status", "2\n");
    CHECK(host.serve("1-1.2", 7).error().kind == ErrorKind::busy);
    sys.file(devices + "1-1.2/usbip_status", "3\n");
    CHECK(host.serve("1-1.2", 7).error().kind == ErrorKind::unavailable);
    CHECK(sys.written().empty());
    sys.file(devices + "1-1.2/usbip_status", "1\n");
    CHECK(host.serve("1-1.2", 7));
    CHECK(sys.written() == "7");
}

TEST_CASE("what is not bound, or gone, is not unbound") {
    FakeSys sys;
    add_device(sys);
    CHECK(UsbipHost(sys.roots).unbind("1-1.2"));
    CHECK(UsbipHost(sys.roots).unbind("1-9"));
    CHECK(sys.written().empty());
}

TEST_CASE("names that are no busid go nowhere near sysfs") {
    FakeSys sys;
    add_device(sys, "usbip-host");
    const UsbipHost host(sys.roots);
    for (const char* name : {"", "..", "../1-1.2", "1-1.2:1.0", "usb1", "pi/1-1.2", "1-1.2\n"}) {
        CHECK(host.bind(name).error().kind == ErrorKind::invalid);
        CHECK(host.unbind(name).error().kind == ErrorKind::invalid);
        CHECK(host.status(name).error().kind == ErrorKind::invalid);
    }
    CHECK(sys.written().empty());
}

TEST_CASE("a device that is gone, or no module, is said so") {
    FakeSys sys;
    CHECK_FALSE(UsbipHost(sys.roots).present());
    CHECK(UsbipHost(sys.roots).bind("1-1.2").error().message.find("modprobe") != std::string::npos);
    add_device(sys);
    CHECK(UsbipHost(sys.roots).bind("1-9").error().kind == ErrorKind::not_found);
}

TEST_CASE("bound devices are the driver's links that are busids, in order") {
    FakeSys sys;
    CHECK(UsbipHost(sys.roots).bound().empty());
    add_device(sys, "usbip-host");
    for (const char* busid : {"1-1.10", "1-1.2", "2-1"})
        sys.link(usbip_host + busid, std::string("devices/platform/x/") + busid);
    sys.link(usbip_host + "module", "module/usbip_host");
    CHECK(UsbipHost(sys.roots).bound() == std::vector<std::string>{"1-1.2", "1-1.10", "2-1"});
}

TEST_CASE("the status is a number of a bound device") {
    FakeSys sys;
    add_device(sys, "usbip-host");
    CHECK(UsbipHost(sys.roots).status("1-1.2").error().kind == ErrorKind::not_found);
    sys.file(devices + "1-1.2/usbip_status", "2\n");
    CHECK(*UsbipHost(sys.roots).status("1-1.2") == 2);
    sys.file(devices + "1-1.2/usbip_status", "busy\n");
    CHECK(UsbipHost(sys.roots).status("1-1.2").error().kind == ErrorKind::protocol);
}
