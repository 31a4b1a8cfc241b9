// SPDX-License-Identifier: MIT
#include "rules/empty_place.hpp"
#include "support.hpp"

using namespace longcord;

static std::vector<std::string> told(const EmptyPlace& at, const std::vector<VmRules>& vms) {
    std::vector<std::string> lines;
    for (const auto& verdict : explain_empty(at, vms))
        lines.push_back(
            fmt::format("{}:{} {}", verdict.vmid, verdict.line, to_string(verdict.kind)));
    return lines;
}

static EmptyPlace at(const std::string& place) {
    return {Place::parse(place).value(), "", ""};
}

TEST_CASE("an empty place: rules that name places are judged, the others depend on the device") {
    const std::vector<VmRules> vms{
        test::vm(100, "3-4\n3-4.1 class=hid\nworkbench\n*/*\n"),
        test::vm(101, "3-40\n!3-4.1\n3-4.1.2\n")};
    CHECK(
        told(at("3-4.1"), vms) == std::vector<std::string>{
                                      "100:1 matches", "100:2 depends on the device",
                                      "100:3 no match", "100:4 matches", "101:1 no match",
                                      "101:2 denies", "101:3 no match"});
    CHECK(told(at("3-4.1.2"), vms).back() == "101:3 denied by another line");
    CHECK(told(at("workbench/1-1.2"), vms)[2] == "100:3 matches");
}

TEST_CASE("an empty place: a line that denies some devices leaves the others theirs") {
    const std::vector<VmRules> vms{test::vm(100, "3-4\n!3-4 class=hid\n")};
    CHECK(
        told(at("3-4"), vms) ==
        std::vector<std::string>{"100:1 matches", "100:2 depends on the device"});
    CHECK(claims_on_anything(at("3-4"), vms).size() == 1);
}

TEST_CASE("an empty place: who would get any device, strongest first") {
    const std::vector<VmRules> vms{
        test::vm(100, "3-4\n"), test::vm(101, "3-4.1\n3-4 1a86:55d4\n"),
        test::vm(102, "*/*\n!3-4\n"), test::vm(103, "3-4.1 1a86:55d4 serial=1\n")};
    const auto claims = claims_on_anything(at("3-4.1"), vms);
    REQUIRE(claims.size() == 2);
    CHECK((claims[0].vmid == 101 && claims[0].line == 1));
    CHECK((claims[1].vmid == 100 && claims[1].line == 1));
}

TEST_CASE("an empty place: controllers and DEVPATHs count where the bus has something plugged in") {
    const std::vector<VmRules> vms{
        test::vm(100, "pci-0000:00:14.0/4\n/devices/pci0000:00/0000:00:14.0/usb3/3-4\n")};
    const auto unknown = explain_empty(at("3-4.1"), vms);
    CHECK(unknown[0].kind == RuleVerdict::Kind::no_match);
    CHECK(unknown[0].reason.find("controller of an empty bus is not known") != std::string::npos);
    CHECK(unknown[1].reason.find("DEVPATH of an empty bus is not known") != std::string::npos);
    const EmptyPlace known{
        Place::parse("3-4.1").value(), "pci-0000:00:14.0",
        "/devices/pci0000:00/0000:00:14.0/usb3/3-4/3-4.1"};
    CHECK(told(known, vms) == std::vector<std::string>{"100:1 matches", "100:2 matches"});
    const EmptyPlace other{
        Place::parse("3-4.1").value(), "pci-0000:00:15.0",
        "/devices/pci0000:00/0000:00:15.0/usb3/3-4/3-4.1"};
    CHECK(told(other, vms) == std::vector<std::string>{"100:1 no match", "100:2 no match"});
    CHECK(
        explain_empty(other, vms)[0].reason.find("pci-0000:00:15.0, not on") != std::string::npos);
}
