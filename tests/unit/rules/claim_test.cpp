// SPDX-License-Identifier: MIT
// claims/NAME/: <VMID>.usb.conf of some VMs, devices.json, and expected: who claims what, and every
// rule's verdict. A new case needs no code.
#include "support.hpp"

#include <algorithm>
#include <random>

using namespace longcord;

static std::vector<VmRules> read_vms(const std::filesystem::path& folder) {
    std::vector<VmRules> vms;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        if (const auto vmid = vmid_of_rules_file(entry.path().string())) {
            const auto parsed = parse_rules(test::slurp(entry.path()));
            INFO(entry.path().string());
            REQUIRE(parsed.ok());
            vms.push_back({*vmid, parsed.rules});
        }
    std::sort(vms.begin(), vms.end(), [](const auto& a, const auto& b) { return a.vmid < b.vmid; });
    return vms;
}

static std::string outcome(const SeenDevice& seen, const std::vector<VmRules>& vms) {
    auto text = seen.device.place.to_string() + ' ' + seen.device.label() + '\n';
    for (const auto& claim : claims(seen.subject(), vms))
        text += fmt::format(
            "  claim: VM {} line {} strength {}.{}\n", claim.vmid, claim.line,
            claim.strength.path_length, claim.strength.qualifiers);
    for (const auto& verdict : explain(seen.subject(), vms))
        text += fmt::format(
            "  {}:{} {}: {}: {}\n", verdict.vmid, verdict.line, verdict.rule,
            to_string(verdict.kind), verdict.reason);
    return text;
}

static std::vector<std::filesystem::path> cases() {
    std::vector<std::filesystem::path> folders;
    for (const auto& entry : std::filesystem::directory_iterator(test::data / "claims"))
        folders.push_back(entry.path());
    return folders;
}

static std::vector<SeenDevice> read_devices(const std::filesystem::path& folder) {
    std::vector<SeenDevice> devices;
    for (const auto& json : nlohmann::json::parse(test::slurp(folder / "devices.json")))
        devices.push_back(test::seen_from_json(json));
    return devices;
}

TEST_CASE("claims: golden cases") {
    for (const auto& folder : cases()) {
        std::string text;
        const auto vms = read_vms(folder);
        for (const auto& seen : read_devices(folder))
            text += outcome(seen, vms);
        test::check_golden(folder / "expected", text);
    }
}

/// Claims without line numbers, which are where a rule stands and not what it says.
static std::string unnumbered(
    const std::vector<Claim>& found, const std::vector<VmRules>& vms, const Subject& subject) {
    std::string text;
    for (const auto& claim : found)
        for (const auto& vm : vms)
            if (vm.vmid == claim.vmid)
                text += std::to_string(vm.vmid) + ' ' +
                        format_rule(*speaking_rule(subject, vm.rules)) + '\n';
    return text;
}

TEST_CASE("the order of lines and of VMs does not change the claims") {
    std::mt19937 random(7);
    for (const auto& folder : cases()) {
        const auto vms = read_vms(folder);
        for (const auto& seen : read_devices(folder)) {
            const auto subject = seen.subject();
            const auto wanted = unnumbered(claims(subject, vms), vms, subject);
            for (int i = 0; i < 20; ++i) {
                auto shuffled = vms;
                std::shuffle(shuffled.begin(), shuffled.end(), random);
                for (auto& vm : shuffled) {
                    std::shuffle(vm.rules.begin(), vm.rules.end(), random);
                    unsigned line = 0;
                    for (auto& rule : vm.rules)
                        rule.line = ++line;
                }
                const auto found = claims(subject, shuffled);
                CHECK(unnumbered(found, shuffled, subject) == wanted);
            }
        }
    }
}

TEST_CASE("a deny line wins over any number of stronger lines of its VM, and over no other VM") {
    const auto device = test::device("3-4.2", "10c4:ea60");
    const std::vector<VmRules> vms{
        test::vm(100, "!3-4\n3-4.2 10c4:ea60\n*/* 10c4:ea60"), test::vm(101, "*/*")};
    const auto found = claims(Subject{device}, vms);
    REQUIRE(found.size() == 1);
    CHECK(found[0].vmid == 101);
}

TEST_CASE("a longer path is stronger than any number of qualifiers") {
    const auto device = [] {
        auto it = test::device("3-4", "10c4:ea60");
        it.serial = "1";
        return it;
    }();
    const std::vector<VmRules> vms{test::vm(100, "*/* 10c4:ea60 serial=1"), test::vm(101, "3-4")};
    const auto found = claims(Subject{device}, vms);
    REQUIRE(found.size() == 2);
    CHECK(found[0].vmid == 101);
    CHECK(found[0].strength > found[1].strength);
}
