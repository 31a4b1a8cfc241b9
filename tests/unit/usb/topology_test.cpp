// SPDX-License-Identifier: MIT
#include "usb/topology.hpp"

#include <initializer_list>

#include <doctest/doctest.h>

using namespace longcord;

TEST_CASE("the controller above a device") {
    CHECK(controller_of("/devices/pci0000:00/0000:00:14.0/usb3/3-1") == "pci-0000:00:14.0");
    CHECK(
        controller_of("/devices/pci0000:00/0000:00:14.0/usb3/3-1/3-1.4/3-1.4:1.0") ==
        "pci-0000:00:14.0");
    CHECK(controller_of("/devices/platform/vhci_hcd.0/usb5/5-1") == "platform-vhci_hcd.0");
    CHECK(
        controller_of("/devices/platform/soc/3f980000.usb/usb1/1-1/1-1.2") ==
        "platform-3f980000.usb");
    CHECK(controller_of("/devices/platform/dummy_hcd.0/usb1/1-1") == "platform-dummy_hcd.0");
}

TEST_CASE("behind bridges it is the last PCI address") {
    CHECK(
        controller_of("/devices/pci0000:00/0000:00:1c.0/0000:02:00.0/usb2/2-1") ==
        "pci-0000:02:00.0");
    CHECK(
        controller_of("/devices/platform/scb/fd500000.pcie/pci0000:00/0000:00:00.0/0000:01:00.0/"
                      "usb1/1-1/1-1.2") == "pci-0000:01:00.0");
    CHECK(
        controller_of("/devices/pci0000:00/0000:00:0e.0/pci10000:e0/10000:e1:00.0/usb4/4-2") ==
        "pci-10000:e1:00.0");
}

TEST_CASE("a root hub has its controller, anything else has none") {
    CHECK(controller_of("/devices/pci0000:00/0000:00:14.0/usb3") == "pci-0000:00:14.0");
    for (const char* path :
         {"", "/", "usb3", "/usb3", "/devices/virtual/net/lo", "/devices/pci0000:00/0000:00:14.0",
          "/devices/x/usb/3-1", "/devices/x/usbmisc/3-1"})
        CHECK(controller_of(path).empty());
}

TEST_CASE("what vhci_hcd carries was imported") {
    CHECK(is_vhci("/devices/platform/vhci_hcd.0/usb5/5-1"));
    CHECK(is_vhci("/devices/platform/vhci_hcd.12/usb50/50-1/50-1.1"));
    CHECK_FALSE(is_vhci("/devices/pci0000:00/0000:00:14.0/usb3/3-1"));
    CHECK_FALSE(is_vhci(""));
}

TEST_CASE("a hub port leads to a place") {
    CHECK(place_of_port("usb3-port4").value().to_string() == "3-4");
    CHECK(place_of_port("usb12-port10").value().to_string() == "12-10");
    CHECK(place_of_port("3-4-port1").value().to_string() == "3-4.1");
    CHECK(place_of_port("3-4.2-port11").value().to_string() == "3-4.2.11");
    for (const char* name :
         {"", "usb3", "usb3-port", "usb3-port0", "usb-port1", "usb0-port1", "-port1", "w/3-4-port1",
          "3-4:1.0-port1"})
        CHECK_FALSE(place_of_port(name).has_value());
}
