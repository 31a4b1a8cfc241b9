// SPDX-License-Identifier: MIT
#include "base/spawn.hpp"
#include "fake_usbip_host.hpp"
#include "pi/exporter.hpp"

#include <doctest/doctest.h>

using namespace longcord;
using namespace longcord::testing;

namespace {

struct Pi {
    Pi() { sys.controller(1, "/devices/platform/fe9c0000.xhci"); }

    void plug(const std::string& busid, const FakeSysfs::Attributes& own = {}) {
        sys.device(busid, own);
        sys.bind(busid, "usb");
        sys.interface(busid, 0, {2, 2, 1}, "cdc_acm");
    }
    void start() {
        Exporter::Handler handler;
        handler.announce = [this](const Device& device) {
            said.push_back("+" + device.place.busid());
        };
        handler.withdraw = [this](const std::string& busid) { said.push_back("-" + busid); };
        handler.done =
            [this](const Device&, std::string_view what, const Result<>& result, milliseconds) {
                operations += result ? 1 : 0;
                last = what;
            };
        handler.judged = [] {};
        handler.kept = [this](const Device& device, const std::string& why) {
            kept.push_back(device.place.busid() + ": " + why);
        };
        handler.ready = [this] { announced_when_ready = exporter->announced().size(); };
        exporter.emplace(loop, pool, sys.roots(), config, modes, handler);
        spawn_guarded(loop, "exporter", exporter->run());
    }
    /// Runs the loop until that is so; the bound is only reached by a broken program.
    template <class Condition> bool until(Condition condition) {
        const auto end = Clock::now() + seconds(20);
        while (!condition() && Clock::now() < end)
            loop.run_one_for(milliseconds(50));
        return condition();
    }
    bool says(const std::vector<std::string>& expected) {
        return until([&] { return said == expected; });
    }

    FakeSysfs sys;
    FakeUsbipHost kernel{sys};
    asio::io_context loop;
    WorkerPool pool{loop};
    ExportConfig config;
    Modes modes;
    std::optional<Exporter> exporter;
    std::vector<std::string> said;
    std::vector<std::string> kept;
    std::optional<std::size_t> announced_when_ready;
    int operations = 0;
    std::string last;
};

} // namespace

TEST_CASE("where ports cannot be claimed a board that comes again is exported all the same") {
    Pi pi;
    pi.plug("1-1");
    FakeSysfs::write(pi.sys.devices() / "usb1/maxchild", "4\n");
    fs::create_directories(pi.sys.roots().dev() / "bus/usb/001");
    std::ofstream(pi.sys.roots().dev() / "bus/usb/001/001")
        << "no hub"; // knows no USBDEVFS_CLAIM_PORT
    pi.start();
    REQUIRE(pi.says({"+1-1"}));
    pi.sys.remove("1-1");
    REQUIRE(pi.says({"+1-1", "-1-1"}));
    pi.plug("1-1");
    CHECK(pi.says({"+1-1", "-1-1", "+1-1"}));
}

TEST_CASE("boards that are there, and boards that come and go") {
    Pi pi;
    pi.plug("1-1");
    pi.start();
    REQUIRE(pi.says({"+1-1"}));
    pi.plug("1-2");
    REQUIRE(pi.says({"+1-1", "+1-2"}));
    CHECK(pi.exporter->announced().size() == 2);
    pi.sys.remove("1-1");
    REQUIRE(pi.says({"+1-1", "+1-2", "-1-1"}));
    CHECK(pi.exporter->announced().size() == 1);
}

TEST_CASE("what stays is told once, again where it is plugged in anew, or for another reason") {
    Pi pi;
    pi.config.never.places = {Place::parse("1-3").value()};
    pi.plug("1-3");
    pi.start();
    REQUIRE(pi.until([&] { return pi.kept.size() == 1; }));
    CHECK(pi.kept.front().starts_with("1-3: "));
    pi.plug("1-1"); // judged beside it
    REQUIRE(pi.says({"+1-1"}));
    CHECK(pi.kept.size() == 1);
    pi.sys.remove("1-3");
    pi.plug("1-3", {{"devnum", "9"}});
    REQUIRE(pi.until([&] { return pi.kept.size() == 2; }));
    pi.exporter->configure(ExportConfig{});
    REQUIRE(pi.until([&] { return pi.exporter->announced().size() == 2; }));
    CHECK(pi.kept.size() == 2);
}

TEST_CASE("a board that was exported before the service started is not bound again") {
    Pi pi;
    pi.plug("1-1");
    pi.sys.bind("1-1", "usbip-host");
    pi.start();
    REQUIRE(pi.says({"+1-1"}));
    CHECK(pi.operations == 0);
}

TEST_CASE("a replugged board that the kernel bound at once is announced anew") {
    Pi pi;
    pi.plug("1-1");
    pi.start();
    REQUIRE(pi.says({"+1-1"}));
    pi.sys.remove("1-1");
    pi.sys.device("1-1");
    pi.sys.bind("1-1", "usbip-host");
    REQUIRE(pi.says({"+1-1", "-1-1", "+1-1"}));
}

TEST_CASE("a changed configuration gives a board back") {
    Pi pi;
    pi.plug("1-1");
    pi.start();
    REQUIRE(pi.says({"+1-1"}));
    ExportConfig config;
    config.never.places = {Place::parse("1-1").value()};
    pi.exporter->configure(config);
    REQUIRE(pi.says({"+1-1", "-1-1"}));
    CHECK(pi.until([&] { return !is_bound(pi.exporter->state().plugged.at("1-1").local); }));
    CHECK(pi.last == "unbind");
}

TEST_CASE(
    "a disk that this machine has mounted stays, whatever mode and pi.yaml say, until it is free") {
    Pi pi;
    pi.sys.device("1-1");
    pi.sys.bind("1-1", "usb");
    const auto interface = pi.sys.interface("1-1", 0, {8, 6, 0x50}, "usb-storage");
    fs::create_directories(interface / "host0/target0:0:0/0:0:0:0/block/sda");
    const auto node = pi.sys.roots().dev() / "sda";
    fs::create_directories(node.parent_path());
    fs::create_symlink("sda", node); // cannot be opened, as a mounted one cannot with O_EXCL
    pi.modes.devices[{{0x1a86, 0x55d4}, ""}] = DeviceMode::usbip;
    pi.config.ids = {{0x1a86, 0x55d4}};
    pi.config.places = {Place::parse("1-1").value()};
    pi.config.drivers = {"usb-storage"};
    pi.start();
    REQUIRE(pi.until([&] { return pi.exporter->state().failed.contains("1-1"); }));
    CHECK(
        pi.exporter->state().failed.at("1-1").why == "1-1: its disk sda is in use on this machine");
    REQUIRE(pi.until([&] { return pi.exporter->state().failed.at("1-1").failures == 2; }));
    CHECK(pi.said.empty());
    CHECK(pi.operations == 0);
    CHECK(pi.exporter->state().plugged.at("1-1").local.device_driver == "usb");
    fs::remove(node); // nothing is there to be in use
    CHECK(pi.says({"+1-1"}));
}

TEST_CASE("a disk that was found and mounted after the last event about its device stays") {
    Pi pi;
    pi.sys.device("1-1");
    pi.sys.bind("1-1", "usb");
    const auto interface = pi.sys.interface("1-1", 0, {8, 6, 0x50}, "usb-storage");
    pi.start();
    REQUIRE(pi.until([&] { return pi.kept.size() == 1; }));
    // usb-storage waits a second before it looks for disks (its delay_use).
    fs::create_directories(interface / "host0/target0:0:0/0:0:0:0/block/sda");
    const auto node = pi.sys.roots().dev() / "sda";
    fs::create_directories(node.parent_path());
    fs::create_symlink("sda", node); // as above: it is mounted
    Modes modes;
    modes.devices[{{0x1a86, 0x55d4}, ""}] = DeviceMode::usbip;
    pi.exporter->configure(modes);
    REQUIRE(pi.until([&] { return pi.exporter->state().failed.contains("1-1"); }));
    CHECK(
        pi.exporter->state().failed.at("1-1").why == "1-1: its disk sda is in use on this machine");
    CHECK(pi.operations == 0);
    CHECK(pi.exporter->state().plugged.at("1-1").local.device_driver == "usb");
}

TEST_CASE("a network adapter that is one only with its firmware stays, whatever its mode") {
    Pi pi;
    pi.sys.device("1-1", {{"bDeviceClass", "ff"}});
    pi.sys.bind("1-1", "usb");
    const auto interface = pi.sys.interface("1-1", 0, {255, 0, 0}, "ath9k_htc");
    pi.modes.devices[{{0x1a86, 0x55d4}, ""}] = DeviceMode::usbip;
    pi.start();
    REQUIRE(pi.until([&] { return pi.exporter->judgements().contains("1-1"); }));
    CHECK(pi.exporter->judgements().at("1-1").kind == Judgement::Kind::not_yet);
    fs::create_directories(interface / "ieee80211/phy1"); // nothing of it is an event
    REQUIRE(pi.until([&] { return pi.kept.size() == 1; }));
    CHECK(pi.kept.front() == "1-1: it is a network adapter");
    CHECK(pi.operations == 0);
}

TEST_CASE("without usbip-host in the kernel a board stays, and it is said why") {
    Pi pi;
    fs::remove(pi.sys.devices() / "../drivers/usbip-host/match_busid");
    pi.plug("1-1");
    pi.start();
    REQUIRE(pi.until([&] { return pi.exporter->state().failed.contains("1-1"); }));
    CHECK(pi.exporter->state().failed.at("1-1").why.find("modprobe") != std::string::npos);
    CHECK(pi.said.empty());
}

TEST_CASE("what is there at the start stands in the first list") {
    Pi pi;
    for (const char* busid : {"1-1", "1-2", "1-3"}) {
        pi.plug(busid);
        pi.sys.bind(busid, "usbip-host");
    }
    pi.start();
    CHECK_FALSE(pi.exporter->ready());
    REQUIRE(pi.until([&] { return pi.exporter->ready(); }));
    CHECK(pi.announced_when_ready == 3);
}

TEST_CASE("with nothing plugged the first list is ready at once") {
    Pi pi;
    pi.start();
    REQUIRE(pi.until([&] { return pi.exporter->ready(); }));
}

TEST_CASE("a device that usbip-host gave up is bound anew, and announced anew") {
    Pi pi;
    pi.plug("1-1");
    pi.start();
    REQUIRE(pi.says({"+1-1"}));
    pi.exporter->renew("1-1");
    REQUIRE(pi.says({"+1-1", "-1-1", "+1-1"}));
    CHECK(pi.exporter->state().renew.empty());
}

TEST_CASE("a changed mode works at once, there and back") {
    Pi pi;
    pi.plug("1-1");
    pi.start();
    REQUIRE(pi.says({"+1-1"}));
    Modes off;
    off.devices[{{0x1a86, 0x55d4}, ""}] = DeviceMode::off;
    pi.exporter->configure(off);
    REQUIRE(pi.says({"+1-1", "-1-1"}));
    REQUIRE(pi.until([&] { return pi.last == "unbind" && pi.exporter->state().busy.empty(); }));
    pi.exporter->configure(Modes{});
    REQUIRE(pi.says({"+1-1", "-1-1", "+1-1"}));
}
