// SPDX-License-Identifier: MIT
// How the planner grows: counted in allocations, which a busy machine does not change. A program of
// its own, since it has an operator new of its own.
#include "big_town.hpp"
#include "plan/changes.hpp"
#include "plan/planner.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>

#include <doctest/doctest.h>

static std::atomic<std::size_t> allocations{0};
static std::atomic<std::size_t> bytes{0};

void* operator new(std::size_t size) {
    ++allocations;
    bytes += size;
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

using namespace longcord;

namespace {

const TimePoint now{std::chrono::hours(1)};

struct Cost {
    double allocations, bytes;
};

template <class Work> Cost cost_of(Work work) {
    const std::size_t allocations_before = allocations;
    const std::size_t bytes_before = bytes;
    work();
    return {
        static_cast<double>(allocations - allocations_before),
        static_cast<double>(bytes - bytes_before)};
}

Cost plan_once(const World& world) {
    return cost_of([&] { CHECK(!plan(world, now).outcomes.empty()); });
}

} // namespace

TEST_CASE("ten times the VMs, Pis and devices cost a plan at most ten times the allocations") {
    const World small = test::big_town({100, 20, 1'000}, now);
    const World large = test::big_town({1'000, 200, 10'000}, now);
    const Cost of_small = plan_once(small);
    const Cost of_large = plan_once(large);
    MESSAGE(
        "allocations a plan: " << of_small.allocations << " of 1,000 devices, "
                               << of_large.allocations << " of 10,000");
    constexpr double tenfold = 10 * 1.05; // a hash table is rebuilt at its own sizes
    CHECK(of_large.allocations <= of_small.allocations * tenfold);
    CHECK(of_large.bytes <= of_small.bytes * tenfold);
}

TEST_CASE("the World itself grows no faster than what is in it") {
    const Cost small = cost_of([] { test::big_town({100, 20, 1'000}, now); });
    const Cost large = cost_of([] { test::big_town({1'000, 200, 10'000}, now); });
    CHECK(large.allocations <= small.allocations * 10.5);
    CHECK(large.bytes <= small.bytes * 10.5);
}

TEST_CASE("an event costs the same, however much there is besides") {
    const auto event = [](World& world) {
        Device device = world.pis.begin()->second.devices.begin()->second;
        Cost worst{0, 0};
        for (int again = 0; again < 20; ++again) {
            device.devnum = device.devnum % 127 + 1;
            const Cost cost = cost_of([&] { pi_added(world, device, now); });
            worst.allocations = std::max(worst.allocations, cost.allocations);
            worst.bytes = std::max(worst.bytes, cost.bytes);
        }
        return worst;
    };
    World small = test::big_town({10, 2, 100}, now);
    World large = test::big_town({1'000, 200, 10'000}, now);
    const Cost of_small = event(small);
    const Cost of_large = event(large);
    MESSAGE("allocations an event: " << of_large.allocations);
    CHECK(of_large.allocations <= of_small.allocations);
    CHECK(of_large.allocations <= 8);
}

TEST_CASE("a plan allocates no more than fifteen times a device") {
    const World world = test::big_town({100, 20, 1'000}, now);
    CHECK(plan_once(world).allocations <= 15.0 * 1'000);
}
