// SPDX-License-Identifier: MIT
#include "big_town.hpp"

#include "plan/changes.hpp"
#include "rules/parse.hpp"

namespace longcord::test {

/// Each VM has eight rules: some by place, some by identity anywhere, one that denies.
static World town(const Size& size, TimePoint now) {
    World world;
    world.knows_rules = world.knows_vms = world.knows_devices = true;
    const unsigned each = size.devices / size.pis;
    std::vector<RunningVm> running;
    for (unsigned n = 0; n < size.vms; ++n) {
        std::string text;
        for (unsigned k = 0; k < 8; ++k) {
            const unsigned device = (n * 8 + k) % size.devices;
            const auto place =
                fmt::format("pi{}/1-{}", device / each % size.pis, device % each + 1);
            if (k < 4)
                text += place + "\n";
            else if (k < 7)
                text += fmt::format("*/* 1a86:{:04x} serial=S{}\n", device % 0xffff, device);
            else
                text += "!" + place + " class=hid\n";
        }
        world.rules.push_back({100 + n, parse_rules(text).rules});
        RunningVm vm;
        vm.vmid = 100 + n;
        vm.pid = static_cast<int>(1000 + n);
        running.push_back(vm);
    }
    vms_running(world, running);
    for (unsigned p = 0; p < size.pis; ++p) {
        const std::string name = fmt::format("pi{}", p);
        std::vector<Device> list;
        for (unsigned d = 0; d < each; ++d) {
            Device device;
            device.place = Place::parse(fmt::format("{}/1-{}", name, d + 1)).value();
            const unsigned number = p * each + d;
            device.id = UsbId{0x1a86, static_cast<std::uint16_t>(number % 0xffff)};
            device.serial = fmt::format("S{}", number);
            device.devnum = d % 127 + 1;
            device.configurations = 1;
            device.speed = Speed::full;
            list.push_back(std::move(device));
        }
        pi_linked(world, name, "192.0.2.1", now);
        pi_listed(world, name, list, now);
    }
    return world;
}

/// QEMU's answers: a controller each, and nothing plugged yet.
static void answer_for_all(World& world, TimePoint now) {
    std::map<unsigned, VmView> views;
    for (const auto& [vmid, vm] : world.vms) {
        VmView view;
        view.state = RunState::running;
        view.controllers.push_back({"xhci", "qemu-xhci", "xhci.0", 15});
        views.emplace(vmid, view);
    }
    for (const auto& [vmid, view] : views)
        vm_viewed(world, vmid, view, {}, now);
}

World big_town(const Size& size, TimePoint now) {
    World world = town(size, now);
    answer_for_all(world, now);
    return world;
}

} // namespace longcord::test
