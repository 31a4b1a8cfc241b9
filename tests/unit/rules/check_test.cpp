// SPDX-License-Identifier: MIT
// checks/NAME/: rules files of several VMs, known.json ({"vmids": [...], "pis": [...], "devices":
// [...]}, each optional), and expected: what `longcord rules check` says. A new case needs no code.
#include "support.hpp"

#include <algorithm>

using namespace longcord;

static KnownWorld read_known(const std::filesystem::path& path) {
    KnownWorld known;
    if (!std::filesystem::exists(path))
        return known;
    const auto json = nlohmann::json::parse(test::slurp(path));
    if (json.contains("vmids"))
        known.vmids = json.at("vmids").get<std::vector<unsigned>>();
    if (json.contains("pis"))
        known.pis = json.at("pis").get<std::vector<std::string>>();
    for (const auto& device : json.value("devices", nlohmann::json::array()))
        known.devices.push_back(test::seen_from_json(device));
    return known;
}

TEST_CASE("rules check: golden cases") {
    unsigned cases = 0;
    for (const auto& folder : std::filesystem::directory_iterator(test::data / "checks")) {
        std::vector<std::filesystem::path> paths;
        for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
            if (vmid_of_rules_file(entry.path().string()))
                paths.push_back(entry.path());
        std::sort(paths.begin(), paths.end());
        std::vector<RulesFile> files;
        for (const auto& path : paths)
            files.push_back(
                {*vmid_of_rules_file(path.string()), path.filename(),
                 parse_rules(test::slurp(path))});
        std::string text;
        for (const auto& found : check_rules(files, read_known(folder.path() / "known.json")))
            text += format_diagnostic(found.file, found.diagnostic) + '\n';
        test::check_golden(folder.path() / "expected", text);
        ++cases;
    }
    CHECK(cases > 0);
}

TEST_CASE("warnings and notes are no errors") {
    const std::vector<RulesFile> files{
        {100, "100.usb.conf", parse_rules("3-4\n3-4")}, {101, "101.usb.conf", parse_rules("3-4")}};
    const auto found = check_rules(files, {});
    CHECK(found.size() > 2);
    CHECK_FALSE(has_errors(found));
    const std::vector<RulesFile> broken{{100, "100.usb.conf", parse_rules("3-")}};
    CHECK(has_errors(check_rules(broken, {})));
}

TEST_CASE("two files of one VM: both are told of the other") {
    const std::vector<RulesFile> files{
        {100, "node1/100.usb.conf", parse_rules("3-4")},
        {100, "node2/100.usb.conf", parse_rules("3-5")}};
    const auto found = check_rules(files, {});
    REQUIRE(found.size() == 2);
    CHECK(found[0].diagnostic.message.find("node2/100.usb.conf") != std::string::npos);
    CHECK(found[1].diagnostic.message.find("node1/100.usb.conf") != std::string::npos);
}

TEST_CASE("the VMID is in the name of the file") {
    CHECK(vmid_of_rules_file("/etc/pve/qemu-server/100.usb.conf") == 100);
    CHECK(vmid_of_rules_file("999999999.usb.conf") == 999999999);
    for (const auto* name :
         {"99.usb.conf", "0100.usb.conf", "1000000000.usb.conf", "100.conf", "x100.usb.conf",
          ".usb.conf", "100.usb.conf.tmp", "-100.usb.conf", ""})
        CHECK_FALSE(vmid_of_rules_file(name));
}
