// SPDX-License-Identifier: MIT
#include "rules/rules_index.hpp"
#include "support.hpp"

#include <random>

using namespace longcord;
using namespace longcord::test;

namespace {

/// Rules and devices from small pools, so that they meet often.
struct Dice {
    std::mt19937 random;
    explicit Dice(unsigned seed) : random(seed) {}

    template <class T> const T& one_of(const std::vector<T>& pool) {
        return pool[random() % pool.size()];
    }

    std::string rule() {
        static const std::vector<std::string> places{
            "3-4",
            "3-4.1",
            "3-40",
            "4-4",
            "4-4.1",
            "workbench",
            "workbench/1-1",
            "workbench/1-1.2",
            "bench2",
            "bench2/1-1",
            "*/*",
            "pci-0000:00:14.0/4",
            "pci-0000:00:14.0/4.1",
            "workbench/platform-fe9c0000.xhci/1",
            "/devices/pci0000:00/0000:00:14.0/usb3/3-4"};
        static const std::vector<std::string> qualifiers{
            "", " 1a86:55d4", " 0403:6001", " serial=A1", " class=hid", " 1a86:55d4 serial=A1"};
        const std::string deny = random() % 6 == 0 ? "!" : "";
        return deny + one_of(places) + one_of(qualifiers);
    }

    std::vector<VmRules> vms() {
        std::vector<VmRules> vms;
        for (unsigned vmid = 100; vmid < 100 + random() % 8; ++vmid) {
            std::string text;
            for (unsigned line = 0; line < random() % 6; ++line)
                text += rule() + "\n";
            vms.push_back(vm(vmid, text));
        }
        return vms;
    }

    Device device() {
        static const std::vector<std::string> places{
            "3-4",           "3-4.1",           "3-4.1.7",       "3-40",       "4-4",        "9-9",
            "workbench/1-1", "workbench/1-1.2", "workbench/2-1", "bench2/1-1", "unknown/1-1"};
        static const std::vector<std::string> ids{"1a86:55d4", "0403:6001", "046d:c31c"};
        Device device = test::device(one_of(places), one_of(ids));
        device.serial = one_of(std::vector<std::string>{"", "A1", "B2"});
        device.device_class.code = one_of(std::vector<std::uint8_t>{0, 3, 8, 9});
        if (random() % 2 == 0)
            device.controller =
                device.place.is_local() ? "pci-0000:00:14.0" : "platform-fe9c0000.xhci";
        return device;
    }
};

} // namespace

TEST_CASE("the index answers what asking every rule answers") {
    const Place peer = Place::parse("4-4.1").value();
    unsigned met = 0;
    for (unsigned seed = 0; seed < 3000; ++seed) {
        Dice dice(seed);
        const auto vms = dice.vms();
        const RulesIndex index(vms);
        const Device device = dice.device();
        const bool local = device.place.is_local();
        const Subject subject{
            device, local ? "/devices/pci0000:00/0000:00:14.0/usb3/3-4/3-4.1" : "",
            local && seed % 2 == 0 ? &peer : nullptr,
            "/devices/pci0000:00/0000:00:14.0/usb4/4-4/4-4.1"};
        CAPTURE(seed);
        CAPTURE(device.place.to_string());
        const auto expected = claims(subject, vms);
        CHECK(index.claims(subject) == expected);
        met += expected.empty() ? 0 : 1;
        for (const auto& vm : vms) {
            CHECK(index.speaking(subject, vm.vmid) == speaking_rule(subject, vm.rules));
            CHECK(index.has_rules(vm.vmid) == !vm.rules.empty());
        }
        CHECK(index.speaking(subject, 999) == nullptr);
        CHECK_FALSE(index.has_rules(999));
    }
    CHECK(met > 500);
}
