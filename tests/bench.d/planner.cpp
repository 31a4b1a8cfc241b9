// SPDX-License-Identifier: MIT
// The planner over made-up worlds of growing size: time and allocations of a plan where everything
// is as it should be, and of one event and the plan it wakes; memory of the World. One JSON line a
// size.
#include "plan/planner.hpp"

#include "plan/changes.hpp"
#include "qmp/plug_id.hpp"
#include "rules/parse.hpp"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <malloc.h>
#include <new>
#include <string>
#include <time.h>
#include <vector>

static std::atomic<std::size_t> allocations{0};

void* operator new(std::size_t size) {
    ++allocations;
    if (void* memory = std::malloc(size))
        return memory;
    throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}

namespace {

using namespace longcord;

struct Size {
    unsigned vms, pis, devices;
};

/// Each VM has eight rules: some by place, some by identity anywhere, one that denies. Every device
/// is imported and plugged where a rule wants it, up to eight a VM.
World town(const Size& size, TimePoint now) {
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
void answer_for_all(World& world, TimePoint now) {
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

struct Measured {
    double plan_us, event_us, allocations, event_allocations;
};

/// CPU time of this process: what else the machine does is not in it.
double microseconds() {
    timespec now{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

double median(std::vector<double> values) {
    std::ranges::nth_element(values, values.begin() + static_cast<long>(values.size() / 2));
    return values[values.size() / 2];
}

Measured measure(World& world, TimePoint now) {
    constexpr unsigned rounds = 15;
    std::vector<double> plans, events;
    std::size_t per_plan = 0;
    std::size_t per_event = 0;
    Device device = world.pis.begin()->second.devices.begin()->second;
    for (unsigned round = 0; round < rounds; ++round) {
        const auto before = allocations.load();
        const double begun = microseconds();
        const Plan planned = plan(world, now);
        plans.push_back(microseconds() - begun);
        per_plan = allocations - before;

        const auto event_before = allocations.load();
        const double event_begun = microseconds();
        device.devnum = device.devnum % 127 + 1;
        pi_added(world, device, now);
        events.push_back(microseconds() - event_begun);
        per_event = allocations - event_before;
    }
    return {
        median(plans), median(events), static_cast<double>(per_plan),
        static_cast<double>(per_event)};
}

} // namespace

int main() {
    const TimePoint now{std::chrono::hours(1)};
    for (const Size size :
         {Size{1, 1, 10}, Size{10, 2, 100}, Size{100, 20, 1000}, Size{1000, 200, 10000}}) {
        const auto heap = ::mallinfo2().uordblks;
        World world = town(size, now);
        answer_for_all(world, now);
        const auto used = ::mallinfo2().uordblks - heap;
        const Measured m = measure(world, now);
        const std::size_t wanted = plan(world, now).actions.size();
        std::printf(
            "{\"vms\":%u,\"pis\":%u,\"devices\":%u,\"actions\":%zu,\"plan_us\":%.0f,\"event_us\":%."
            "1f,"
            "\"plan_allocations\":%.0f,\"event_allocations\":%.0f,\"world_kb\":%zu}\n",
            size.vms, size.pis, size.devices, wanted, m.plan_us, m.event_us, m.allocations,
            m.event_allocations, used / 1024);
    }
}
