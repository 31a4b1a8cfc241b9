// SPDX-License-Identifier: MIT
#include "fake_sysfs.hpp"
#include "usb/usb_events.hpp"

#include <exception>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

using namespace longcord;
using longcord::testing::FakeSysfs;

namespace {

/// Collects events until `count` have come.
Task<> collect(UsbEvents& events, std::size_t count, std::vector<UsbEvent>& seen) {
    while (seen.size() < count) {
        const auto more = co_await events.next();
        seen.insert(seen.end(), more.begin(), more.end());
    }
}

void run(asio::io_context& loop, Task<> task) {
    asio::co_spawn(loop, std::move(task), [](std::exception_ptr error) {
        if (error)
            std::rethrow_exception(error);
    });
    loop.run_for(std::chrono::seconds(20));
}

} // namespace

TEST_CASE("a watched folder tells what came and went") {
    FakeSysfs machine;
    machine.controller(3, "/devices/pci0000:00/0000:00:14.0");
    asio::io_context loop;
    auto events = watch_usb(loop, machine.roots());
    machine.device("3-4");
    machine.interface("3-4", 0, {2, 2, 1});
    machine.remove("3-4");
    std::vector<UsbEvent> seen;
    run(loop, collect(*events, 4, seen));
    REQUIRE(seen.size() == 4);
    CHECK(seen[0].action == UsbEvent::Action::add);
    CHECK(seen[0].sysname == "3-4");
    CHECK_FALSE(seen[0].interface);
    CHECK(seen[1].sysname == "3-4:1.0");
    CHECK(seen[1].interface);
    CHECK(seen[1].device() == "3-4");
    CHECK(seen[2].action == UsbEvent::Action::remove);
    CHECK(seen[3].action == UsbEvent::Action::remove);
}

TEST_CASE("an arrival carries the device's path") {
    FakeSysfs machine;
    machine.controller(3, "/devices/pci0000:00/0000:00:14.0");
    asio::io_context loop;
    auto events = watch_usb(loop, machine.roots());
    machine.device("3-4");
    std::vector<UsbEvent> seen;
    run(loop, collect(*events, 1, seen));
    REQUIRE(seen.size() == 1);
    CHECK(seen[0].devpath == "/devices/pci0000:00/0000:00:14.0/usb3/3-4");
}

TEST_CASE("udev's source opens") {
    asio::io_context loop;
    CHECK(watch_udev(loop) != nullptr);
}
