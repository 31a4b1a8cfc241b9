// SPDX-License-Identifier: MIT
#include "fake_sys.hpp"
#include "result_text.hpp"
#include "usbip/authorize.hpp"

#include <filesystem>
#include <fstream>
#include <memory>

#include <doctest/doctest.h>

using namespace longcord;
using namespace longcord::test;

namespace {

const std::string bus = "bus/usb/devices/";

/// vhci with two controllers, a hub pair each, two ports a hub; and a real controller beside it.
void add_root_hubs(FakeSys& sys) {
    for (const auto& [controller, first] : {std::pair("vhci_hcd.0", 5), std::pair("vhci_hcd.1", 7)})
        for (int number : {first, first + 1}) {
            const std::string hub = fmt::format("devices/platform/{}/usb{}/", controller, number);
            sys.file(hub + "authorized_default", "1\n");
            sys.file(hub + "interface_authorized_default", "1\n");
            for (int port : {1, 2})
                sys.file(
                    fmt::format("{0}{1}-0:1.0/usb{1}-port{2}/quirks", hub, number, port),
                    "00000000\n");
        }
    sys.file("devices/platform/fe9c0000.xhci/usb1/authorized_default", "1\n");
    sys.file("devices/platform/vhci_hcd.0/usbip_debug", "0\n");
}

/// 5-1 with two interfaces, as it is after an import to a prepared root hub.
void add_device(FakeSys& sys) {
    sys.file(bus + "usb5/interface_authorized_default", "0\n");
    sys.file(bus + "5-1/authorized", "0\n");
    sys.file(bus + "5-1/bConfigurationValue", "1\n");
    sys.file(bus + "5-1/5-1:1.0/authorized", "0\n");
    sys.file(bus + "5-1/5-1:1.1/authorized", "0\n");
    sys.file(bus + "5-1/power/control", "on\n");
    sys.file(bus + "5-1/5-1.4/authorized", "0\n"); // a device below it is none of its interfaces
}

std::unique_ptr<PortClaims> claims_of(FakeSys& sys) {
    return std::make_unique<PortClaims>(sys.roots);
}

} // namespace

TEST_CASE("every vhci root hub authorises nothing by itself, and its ports are quick") {
    FakeSys sys;
    add_root_hubs(sys);
    REQUIRE(prepare_vhci_root_hubs(sys.roots));
    for (const char* hub :
         {"vhci_hcd.0/usb5/", "vhci_hcd.0/usb6/", "vhci_hcd.1/usb7/", "vhci_hcd.1/usb8/"}) {
        const std::string folder = std::string("devices/platform/") + hub;
        CHECK(sys.read(folder + "authorized_default") == "0\n");
        CHECK(sys.read(folder + "interface_authorized_default") == "0\n");
    }
    CHECK(sys.read("devices/platform/vhci_hcd.1/usb8/8-0:1.0/usb8-port2/quirks").starts_with('3'));
    CHECK(sys.read("devices/platform/fe9c0000.xhci/usb1/authorized_default") == "1\n");
}

TEST_CASE(
    "a root hub that was closed before it had its own driver gets it, and its ports with it") {
    FakeSys sys;
    add_root_hubs(sys);
    const std::string closed = "devices/platform/vhci_hcd.1/usb7/7-0:1.0/authorized";
    sys.file(closed, "0\n");
    sys.file("devices/platform/vhci_hcd.0/usb5/5-0:1.0/authorized", "1\n");
    sys.log("bus/usb/drivers_probe");
    REQUIRE(prepare_vhci_root_hubs(sys.roots));
    CHECK(sys.read(closed) == "1\n");
    CHECK(sys.written() == "7-0:1.0");
}

TEST_CASE("given back, the root hubs of vhci are as the kernel had them") {
    FakeSys sys;
    add_root_hubs(sys);
    REQUIRE(prepare_vhci_root_hubs(sys.roots));
    REQUIRE(restore_vhci_root_hubs(sys.roots));
    const std::string hub = "devices/platform/vhci_hcd.1/usb8/";
    CHECK(sys.read(hub + "authorized_default") == "1\n");
    CHECK(sys.read(hub + "interface_authorized_default") == "1\n");
    CHECK(sys.read(hub + "8-0:1.0/usb8-port2/quirks").starts_with('0'));
}

TEST_CASE("given back, an authorized_default that the admin gave the kernel counts") {
    FakeSys sys;
    add_root_hubs(sys);
    sys.file("module/usbcore/parameters/authorized_default", "-1\n");
    REQUIRE(restore_vhci_root_hubs(sys.roots));
    CHECK(sys.read("devices/platform/vhci_hcd.0/usb5/authorized_default") == "1\n");
    sys.file("module/usbcore/parameters/authorized_default", "2\n");
    REQUIRE(restore_vhci_root_hubs(sys.roots));
    CHECK(sys.read("devices/platform/vhci_hcd.0/usb5/authorized_default") == "2\n");
    CHECK(sys.read("devices/platform/vhci_hcd.0/usb5/interface_authorized_default") == "1\n");
}

TEST_CASE("a kernel without port quirks is slower, not wrong") {
    FakeSys sys;
    add_root_hubs(sys);
    std::filesystem::remove(sys.sys("devices/platform/vhci_hcd.0/usb5/5-0:1.0/usb5-port1/quirks"));
    CHECK(prepare_vhci_root_hubs(sys.roots));
}

TEST_CASE("a root hub that cannot be closed is an error") {
    FakeSys sys;
    add_root_hubs(sys);
    std::filesystem::remove(sys.sys("devices/platform/vhci_hcd.1/usb8/authorized_default"));
    CHECK_FALSE(prepare_vhci_root_hubs(sys.roots));
}

TEST_CASE("without vhci the message says what to do") {
    FakeSys sys;
    const auto prepared = prepare_vhci_root_hubs(sys.roots);
    CHECK(prepared.error().kind == ErrorKind::not_found);
    CHECK(prepared.error().message.find("modprobe") != std::string::npos);
}

TEST_CASE("a device is authorised, then each of its interfaces") {
    FakeSys sys;
    add_device(sys);
    REQUIRE(authorize_device(sys.roots, *claims_of(sys), "5-1", {}));
    CHECK(sys.read(bus + "5-1/authorized") == "1\n");
    CHECK(sys.read(bus + "5-1/5-1:1.0/authorized") == "1\n");
    CHECK(sys.read(bus + "5-1/5-1:1.1/authorized") == "1\n");
    CHECK(sys.read(bus + "5-1/5-1.4/authorized") == "0\n");
}

TEST_CASE("the order is device, configuration, interfaces") {
    FakeSys sys;
    add_device(sys);
    sys.log(bus + "5-1/authorized");
    sys.log(bus + "5-1/5-1:1.0/authorized");
    REQUIRE(authorize_device(sys.roots, *claims_of(sys), "5-1", 2));
    CHECK(sys.written() == "11");
    CHECK(sys.read(bus + "5-1/bConfigurationValue") == "2\n");
}

TEST_CASE("the active configuration is not selected once more") {
    FakeSys sys;
    add_device(sys);
    std::filesystem::permissions(
        sys.sys(bus + "5-1/bConfigurationValue"), std::filesystem::perms::owner_read);
    const auto before = std::filesystem::last_write_time(sys.sys(bus + "5-1/bConfigurationValue"));
    CHECK(authorize_device(sys.roots, *claims_of(sys), "5-1", 1));
    CHECK(std::filesystem::last_write_time(sys.sys(bus + "5-1/bConfigurationValue")) == before);
}

TEST_CASE("nothing is authorised on a bus that lets this host's drivers bind") {
    FakeSys sys;
    add_device(sys);
    sys.file(bus + "usb5/interface_authorized_default", "1\n");
    const auto refused = authorize_device(sys.roots, *claims_of(sys), "5-1", {});
    CHECK(refused.error().kind == ErrorKind::refused);
    CHECK(refused.error().message.find("usb5") != std::string::npos);
    CHECK(sys.read(bus + "5-1/authorized") == "0\n");
}

TEST_CASE("interfaces are withheld while any device of the hub is authorised, and allowed to "
          "claimed ports") {
    FakeSys sys;
    add_device(sys);
    const std::string by_default = bus + "usb5/interface_authorized_default";
    PortClaims claims(sys.roots);
    REQUIRE(claims.withhold_interfaces(5));
    claims.allow_interfaces(5, false);
    CHECK(sys.read(by_default) == "0\n"); // it could not be claimed
    REQUIRE(claims.withhold_interfaces(5));
    REQUIRE(claims.withhold_interfaces(5));
    claims.allow_interfaces(5, true);
    CHECK(sys.read(by_default) == "0\n"); // the other one is not done yet
    claims.allow_interfaces(5, true);
    CHECK(sys.read(by_default).starts_with('1'));
    REQUIRE(claims.withhold_interfaces(5)); // at our own request, so this is no reason to refuse
    CHECK(sys.read(by_default).starts_with('0'));
    claims.allow_interfaces(5, true);
    SUBCASE("a hub that was opened by somebody else is not ours to use") {
        sys.file(bus + "usb6/interface_authorized_default", "1\n");
        CHECK(claims.withhold_interfaces(6).error().kind == ErrorKind::refused);
    }
}

TEST_CASE("with the claims go the interfaces that are authorised from the start") {
    FakeSys sys;
    add_device(sys);
    const std::string by_default = bus + "usb5/interface_authorized_default";
    {
        PortClaims claims(sys.roots);
        REQUIRE(claims.withhold_interfaces(5));
        claims.allow_interfaces(5, true);
        REQUIRE(sys.read(by_default).starts_with('1'));
    }
    CHECK(sys.read(by_default).starts_with('0'));
}

TEST_CASE("a device without interfaces has no configuration to hand on") {
    FakeSys sys;
    add_device(sys);
    std::filesystem::remove_all(sys.sys(bus + "5-1/5-1:1.0"));
    std::filesystem::remove_all(sys.sys(bus + "5-1/5-1:1.1"));
    CHECK(
        authorize_device(sys.roots, *claims_of(sys), "5-1", {}).error().kind ==
        ErrorKind::unavailable);
}

TEST_CASE("names that are no device of this host go nowhere near sysfs") {
    FakeSys sys;
    add_device(sys);
    for (const char* name : {"", "usb5", "5-1:1.0", "../5-1", "pi/5-1", "05-1", "5-1/", "5-01"})
        CHECK(
            authorize_device(sys.roots, *claims_of(sys), name, {}).error().kind ==
            ErrorKind::invalid);
    CHECK(
        authorize_device(sys.roots, *claims_of(sys), "5-2", {}).error().kind ==
        ErrorKind::not_found);
}

TEST_CASE("a device is deauthorised as a whole, never interface by interface") {
    FakeSys sys;
    add_device(sys);
    REQUIRE(authorize_device(sys.roots, *claims_of(sys), "5-1", {}));
    REQUIRE(deauthorize_device(sys.roots, "5-1"));
    CHECK(sys.read(bus + "5-1/authorized") == "0\n");
    CHECK(sys.read(bus + "5-1/5-1:1.0/authorized") == "1\n");
    CHECK(sys.read(bus + "5-1/5-1:1.1/authorized") == "1\n");
}

TEST_CASE("deauthorising what is gone is done already, and what is no device is refused") {
    FakeSys sys;
    CHECK(deauthorize_device(sys.roots, "5-1"));
    add_device(sys);
    std::filesystem::remove(sys.sys(bus + "5-1/authorized"));
    CHECK(deauthorize_device(sys.roots, "5-1"));
    CHECK(deauthorize_device(sys.roots, "../5-1").error().kind == ErrorKind::invalid);
}

TEST_CASE("somebody else's import is authorised and probed") {
    FakeSys sys;
    add_device(sys);
    sys.log("bus/usb/drivers_probe");
    REQUIRE(authorize_foreign_device(sys.roots, "5-1"));
    CHECK(sys.read(bus + "5-1/authorized") == "1\n");
    CHECK(sys.read(bus + "5-1/5-1:1.1/authorized") == "1\n");
    CHECK(sys.written() == "5-1:1.05-1:1.1");
}

TEST_CASE("a port that cannot be claimed leaves the interfaces unauthorised") {
    FakeSys sys;
    add_device(sys);
    sys.file(bus + "usb5/devnum", "1\n");
    // A plain file in the hub's place: it opens, and knows no USBDEVFS_CLAIM_PORT.
    std::filesystem::create_directories(sys.roots.dev() / "bus/usb/005");
    std::ofstream(sys.roots.dev() / "bus/usb/005/001") << "no hub";
    const auto refused = authorize_device(sys.roots, *claims_of(sys), "5-1", {});
    REQUIRE(!refused);
    CHECK(refused.error().message.find("claim the port of 5-1") != std::string::npos);
    CHECK(sys.read(bus + "5-1/5-1:1.0/authorized") == "0\n");
}

TEST_CASE("a hub's own node is asked, of a root hub and of any other") {
    FakeSys sys;
    sys.file(bus + "usb5/devnum", "1\n");
    sys.file(bus + "5-1/devnum", "17\n");
    std::filesystem::create_directories(sys.roots.dev() / "bus/usb/005");
    PortClaims claims(sys.roots);
    const auto opens = [&](const char* sysname, const char* node) {
        const auto path = (sys.roots.dev() / node).string();
        return claims.claim(sysname).error().message.find(path) != std::string::npos;
    };
    CHECK(opens("5-3", "bus/usb/005/001"));
    CHECK(opens("5-1.3", "bus/usb/005/017"));
}

TEST_CASE("only what hangs on a hub's port can be claimed; releasing what is not is no error") {
    FakeSys sys;
    PortClaims claims(sys.roots);
    for (const char* name : {"5", "usb5", "workbench/5-1", "", "../5-1"})
        CHECK(claims.claim(name).error().kind == ErrorKind::invalid);
    for (const char* name : {"5-1", "5-1.2"}) {
        CHECK(claims.claim(name).error().kind == ErrorKind::not_found);
        CHECK_FALSE(claims.release(name));
    }
    CHECK_FALSE(claims.release("nonsense"));
    claims.release_all_but({"5-1"});
}
