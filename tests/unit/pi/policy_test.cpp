// SPDX-License-Identifier: MIT
#include "devices.hpp"
#include "pi/policy.hpp"

#include <doctest/doctest.h>

using namespace longcord;
using namespace longcord::testing;
using Kind = Judgement::Kind;

static Kind kind(const LocalDevice& local, const ExportConfig& config = {}, bool settled = false) {
    return judge(local, config, {}, settled).kind;
}

TEST_CASE("serial drivers are exported by default") {
    for (const char* driver : {"cp210x", "ch341", "ftdi_sio", "cdc_acm"}) {
        auto local = cp210x_stick("1-1.2");
        local.drivers = {driver};
        CHECK(kind(local) == Kind::exported);
    }
    auto local = cp210x_stick("1-1.2");
    local.drivers = {"cp210x_like"};
    CHECK(kind(local) == Kind::kept);
}

TEST_CASE("one serial interface among others is enough") {
    auto local = cp210x_stick("1-1.2");
    local.drivers = {"cdc_acm", "usbhid"};
    CHECK(kind(local) == Kind::exported);
}

TEST_CASE("a CDC ACM device is known by its class, before cdc_acm is loaded") {
    auto local = acm_board("1-1.2");
    local.drivers.clear();
    local.driverless = 2;
    CHECK(kind(local) == Kind::exported);
    ExportConfig others;
    others.drivers = {"cp210x"};
    CHECK(kind(local, others) == Kind::kept);
}

TEST_CASE("a vendor device waits for its driver") {
    auto local = cp210x_stick("1-1.2");
    local.drivers.clear();
    local.driverless = 1;
    CHECK(kind(local) == Kind::kept);
    local.drivers = {"cp210x"};
    local.driverless = 0;
    CHECK(kind(local) == Kind::exported);
}

TEST_CASE("a device that the kernel is still taking in is not torn from it") {
    auto local = acm_board("1-1.2");
    local.device_driver.clear();
    CHECK(kind(local, {}, false) == Kind::not_yet);
    CHECK(kind(local, {}, true) == Kind::exported);
}

TEST_CASE("pi.yaml exports by id and by place") {
    ExportConfig config;
    config.ids = {{0x046d, 0xc31c}};
    CHECK(kind(keyboard("1-1.2"), config) == Kind::exported);
    config.ids = {{0x046d, 0xc31d}};
    CHECK(kind(keyboard("1-1.2"), config) == Kind::kept);
    config.places = {Place::parse("1-1").value()};
    CHECK(kind(keyboard("1-1.2"), config) == Kind::exported);
    CHECK(kind(keyboard("1-10"), config) == Kind::kept);
}

TEST_CASE("what is named may still turn out to be a network adapter: its drivers come first") {
    ExportConfig config;
    config.places = {Place::parse("1-1").value()};
    auto local = cp210x_stick("1-1.2");
    local.drivers.clear();
    local.driverless = 1;
    CHECK(kind(local, config, false) == Kind::not_yet);
    CHECK(kind(local, config, true) == Kind::exported);
    local.drivers = {"r8152"};
    local.driverless = 0;
    local.networks = {"eth1"};
    CHECK(kind(local, config, true) == Kind::kept);
}

TEST_CASE("a Wi-Fi adapter whose driver waits for firmware is no network adapter yet, and stays") {
    ExportConfig config;
    config.ids = {{0x0cf3, 0x9271}};
    auto local = cp210x_stick("1-1.2");
    local.device.id = {0x0cf3, 0x9271};
    local.drivers = {"ath9k_htc"};
    CHECK(kind(local, config, false) == Kind::not_yet);
    local.networks = {"phy1"};
    CHECK(kind(local, config, false) == Kind::kept);
    // Of standard classes: nothing to wait for.
    auto camera = keyboard("1-1.2");
    camera.device.id = {0x0cf3, 0x9271};
    CHECK(kind(camera, config, false) == Kind::exported);
}

TEST_CASE("network adapters, hubs and imported devices never leave, whatever pi.yaml says") {
    ExportConfig all;
    all.places = {Place::parse("1-1").value()};
    all.drivers.push_back("usbhid");
    for (const InterfaceClass code :
         {InterfaceClass{2, 6, 0},
          {2, 0x0c, 7},
          {2, 0x0d, 0},
          {2, 0x0e, 0},
          {2, 2, 0xff},
          {0xe0, 1, 3},
          {0xef, 4, 1},
          {9, 0, 0}}) {
        auto local = acm_board("1-1.2");
        local.device.interfaces.push_back(code);
        CAPTURE(code.code);
        CAPTURE(code.subclass);
        CHECK(kind(local, all, true) == Kind::kept);
    }
    auto hub = keyboard("1-1");
    hub.device.device_class = {9, 0, 1};
    CHECK(kind(hub, all, true) == Kind::kept);
    auto imported = acm_board("1-1");
    imported.on_vhci = true;
    CHECK(kind(imported, all, true) == Kind::kept);
    auto wlan = cp210x_stick("1-1");
    wlan.networks = {"wlan0"};
    CHECK(kind(wlan, all, true) == Kind::kept);
}

TEST_CASE("Bluetooth is wireless, but no network adapter") {
    auto local = keyboard("1-1");
    local.device.interfaces = {{0xe0, 1, 1}};
    CHECK_FALSE(is_network(local));
}

TEST_CASE("never wins") {
    ExportConfig config;
    config.never.places = {Place::parse("1-1").value()};
    CHECK(kind(acm_board("1-1.2"), config) == Kind::kept);
    CHECK(kind(acm_board("1-10"), config) == Kind::exported);
    config.never.places.clear();
    config.never.ids = {{0x1a86, 0x55d4}};
    config.ids = config.never.ids;
    CHECK(kind(acm_board("1-1.2"), config) == Kind::kept);
}

TEST_CASE("a device that this machine has not authorised stays") {
    auto local = acm_board("1-1.2");
    local.authorized = false;
    CHECK(kind(local, {}, true) == Kind::kept);
}

TEST_CASE("every judgement has a reason") {
    CHECK(judge(acm_board("1-1"), {}, {}, true).why == "its driver cdc_acm is exported");
    CHECK(judge(keyboard("1-1"), {}, {}, true).why == "its driver usbhid is not exported");
}
