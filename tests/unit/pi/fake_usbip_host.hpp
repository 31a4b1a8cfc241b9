// SPDX-License-Identifier: MIT
// A kernel's part of usbip-host in a fake sysfs: reads what is written to `bind` and `unbind`, and
// moves the device's `driver` link as the kernel does. It works in a thread, because the writers do
// not wait for it; a real kernel is faster than that, never slower.
#pragma once

#include "../usb/fake_sysfs.hpp"

#include <atomic>
#include <chrono>
#include <thread>

namespace longcord::testing {

class FakeUsbipHost {
  public:
    explicit FakeUsbipHost(FakeSysfs& sys) : sys_(sys) {
        for (const char* file :
             {"usbip-host/match_busid", "usbip-host/bind", "usbip-host/unbind", "usbip-host/rebind",
              "usb/unbind"})
            FakeSysfs::write(drivers() / file, "");
        FakeSysfs::write(drivers() / "../drivers_probe", "");
        thread_ = std::thread([this] { work(); });
    }
    ~FakeUsbipHost() {
        stop_ = true;
        thread_.join();
    }

  private:
    fs::path drivers() const { return sys_.devices() / "../drivers"; }

    void work() {
        while (!stop_) {
            follow("usb/unbind", "");
            follow("usbip-host/unbind", "usb");
            follow("usbip-host/bind", "usbip-host");
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    }

    /// A busid written to `file` gives that device to `driver`.
    void follow(const fs::path& file, const std::string& driver) {
        std::string busid;
        std::ifstream(drivers() / file) >> busid;
        if (busid.empty())
            return;
        FakeSysfs::write(drivers() / file, "");
        if (fs::exists(sys_.devices() / busid))
            sys_.bind(busid, driver);
    }

    FakeSysfs& sys_;
    std::atomic<bool> stop_ = false;
    std::thread thread_;
};

} // namespace longcord::testing
