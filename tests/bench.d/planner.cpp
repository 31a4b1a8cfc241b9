// SPDX-License-Identifier: MIT
// The planner over made-up worlds of growing size: time and allocations of a plan where everything
// is as it should be, and of one event and the plan it wakes; memory of the World. One JSON line a
// size.
#include "plan/planner.hpp"

#include "plan/changes.hpp"
#include "tests/unit/growth/big_town.hpp"

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
using test::Size;

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
        World world = test::big_town(size, now);
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
