// SPDX-License-Identifier: MIT
#include "fake_sys.hpp"
#include "result_text.hpp"
#include "usbip/vhci_record.hpp"

#include <fstream>

#include <doctest/doctest.h>

using namespace longcord;
using namespace longcord::test;
using State = VhciPort::State;

static VhciRecord record_of(unsigned port) {
    return {port, *Place::parse("workbench/1-1.2"), 0x10005, 17, "10.77.0.2:3240"};
}

TEST_CASE("records come back as they were saved, by port, not by name") {
    FakeSys sys;
    const VhciRecords records(sys.roots);
    CHECK(records.load().empty());
    for (unsigned port : {10U, 9U, 239U})
        REQUIRE(records.save(record_of(port)));
    CHECK(records.load() == std::vector{record_of(9), record_of(10), record_of(239)});
    records.remove(10);
    CHECK(records.load() == std::vector{record_of(9), record_of(239)});
}

TEST_CASE("usbip finds our ports in its own format and folder") {
    FakeSys sys;
    VhciRecord record = record_of(3);
    REQUIRE(VhciRecords(sys.roots).save(record));
    const auto file = sys.roots.vhci_record() / "port3";
    CHECK(sys.content(file) == "10.77.0.2 3240 1-1.2\n");
    CHECK(
        std::filesystem::status(sys.roots.vhci_record()).permissions() ==
        std::filesystem::perms::owner_all);
    record.server = "[fd00::2]:3240";
    REQUIRE(VhciRecords(sys.roots).save(record));
    CHECK(sys.content(file) == "fd00::2 3240 1-1.2\n");
    VhciRecords(sys.roots).remove(3);
    CHECK_FALSE(std::filesystem::exists(file));
}

TEST_CASE("usbip's record of somebody else's attach to the same port stays") {
    FakeSys sys;
    REQUIRE(VhciRecords(sys.roots).save(record_of(3)));
    std::ofstream(sys.roots.vhci_record() / "port3") << "10.0.0.9 3240 2-1\n";
    VhciRecords(sys.roots).remove(3);
    CHECK(sys.content(sys.roots.vhci_record() / "port3") == "10.0.0.9 3240 2-1\n");
    CHECK(VhciRecords(sys.roots).load().empty());
}

TEST_CASE("an import does not fail for want of usbip's record") {
    FakeSys sys;
    std::filesystem::create_directories(sys.roots.vhci_record().parent_path());
    std::ofstream(sys.roots.vhci_record()) << "a file in the folder's place";
    CHECK(VhciRecords(sys.roots).save(record_of(3)));
    CHECK(VhciRecords(sys.roots).load().size() == 1);
}

TEST_CASE("a record that cannot be written is an error: no attach without it") {
    FakeSys sys;
    std::filesystem::create_directories(sys.roots.run());
    std::ofstream(sys.roots.run() / "vhci") << "a file in the folder's place";
    CHECK_FALSE(VhciRecords(sys.roots).save(record_of(3)));
}

TEST_CASE("garbage makes no port ours") {
    FakeSys sys;
    const VhciRecords records(sys.roots);
    REQUIRE(records.save(record_of(1)));
    const std::string good = R"({"port":7,"place":"a/1-1","devid":1,"sockfd":3,"server":"s:1"})";
    const auto load_with = [&](const std::string& name, const std::string& content) {
        std::ofstream(sys.roots.run() / "vhci" / name) << content;
        const auto loaded = records.load();
        std::filesystem::remove(sys.roots.run() / "vhci" / name);
        return loaded.size();
    };
    CHECK(load_with("7", good) == 2);
    for (const char* name : {"8", "07", "7.tmp", "-7", "port7", "99999999999"})
        CHECK(load_with(name, good) == 1);
    for (const char* content :
         {"", "{", "[]", "7", "null", "{}", R"({"port":7,"place":"a/1-1","devid":1,"sockfd":3})",
          R"({"port":7,"place":"a/../1","devid":1,"sockfd":3,"server":"s:1"})",
          R"({"port":7,"place":"a/1-1","devid":-1,"sockfd":3,"server":"s:1"})",
          R"({"port":7,"place":"a/1-1","devid":4294967296,"sockfd":3,"server":"s:1"})",
          R"({"port":7,"place":"a/1-1","devid":1,"sockfd":"3","server":"s:1"})",
          R"({"port":"7","place":"a/1-1","devid":1,"sockfd":3,"server":"s:1"})",
          R"({"port":7,"place":["a/1-1"],"devid":1,"sockfd":3,"server":"s:1"})"})
        CHECK(load_with("7", content) == 1);
    CHECK(load_with("7", good + std::string(5000, ' ')) == 1);
    std::filesystem::create_directory(sys.roots.run() / "vhci" / "7");
    CHECK(records.load().size() == 1);
}

TEST_CASE("a port is ours when it is in use with the devid and descriptor of the record") {
    const VhciRecord record = record_of(3);
    const VhciPort port{false, 3, State::used, 3, 0x10005, 17, "5-1"};
    const auto with = [&](auto change) {
        VhciPort changed = port;
        change(changed);
        return std::pair(owns(record, changed), may_own(record, changed));
    };
    CHECK(with([](VhciPort&) {}) == std::pair(true, true));
    CHECK(with([](VhciPort& p) { p.port = 4; }) == std::pair(false, false));
    CHECK(with([](VhciPort& p) { p.devid = 0x10006; }) == std::pair(false, false));
    CHECK(with([](VhciPort& p) { p.sockfd = 18; }) == std::pair(false, false));
    CHECK(with([](VhciPort& p) { p.state = State::free; }) == std::pair(false, false));
    CHECK(with([](VhciPort& p) { p.state = State::not_ready; }) == std::pair(false, false));
    CHECK(with([](VhciPort& p) {
              p = {false, 3, State::assigned, 0, 0, 0, ""};
          }) == std::pair(false, true));
    CHECK(with([](VhciPort& p) {
              p = {false, 4, State::assigned, 0, 0, 0, ""};
          }) == std::pair(false, false));
    CHECK(with([](VhciPort& p) {
              p = {false, 3, State::error, 0, 0, 0, ""};
          }) == std::pair(false, true));
}
