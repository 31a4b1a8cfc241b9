// SPDX-License-Identifier: MIT
// usbip-host on the Pi: the driver that takes a device from this machine's own drivers and serves
// it over the network. Binding does USB I/O (the device is unconfigured): call it on the
// WorkerPool.
#pragma once

#include "base/error.hpp"
#include "base/roots.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace longcord {

/// The kernel's table of exports (MAX_BUSID in drivers/usb/usbip/stub_main.c).
constexpr unsigned max_exports = 16;

/// usbip_status (enum usbip_device_status, drivers/usb/usbip/usbip_common.h).
constexpr unsigned status_available = 1;
constexpr unsigned status_used = 2;
constexpr unsigned status_error = 3;

class UsbipHost {
  public:
    explicit UsbipHost(Roots roots) : roots_(std::move(roots)) {}

    /// Whether the module is loaded.
    bool present() const;

    /// Takes the device from its present driver. Bound already: nothing happens. refused: a hub, or
    /// a device that is itself imported; full: 16 exports. Where it fails the device goes back to
    /// its own driver.
    Result<> bind(std::string_view busid) const;

    /// Gives the device back to its own driver. A device that is not bound, or gone: nothing
    /// happens. An import that uses it ends.
    Result<> unbind(std::string_view busid) const;

    /// Lets this machine's own drivers have a device that came to a claimed port, where the kernel
    /// configured nothing: its probe is done once more. The claim has to be released before.
    Result<> let_drivers_in(std::string_view busid) const;

    /// Busids of the devices that are bound now, in order of bus and port.
    std::vector<std::string> bound() const;

    /// Of a bound device: 1 available, 2 used, 3 error: then only unbind and bind helps.
    Result<unsigned> status(std::string_view busid) const;

    /// Gives it a connected socket, which the kernel keeps. busy: another stream has the device, or
    /// its end is still under way.
    Result<> serve(std::string_view busid, int socket) const;

  private:
    std::filesystem::path device(std::string_view busid) const;
    std::filesystem::path driver(std::string_view file) const;
    std::string driver_of(std::string_view busid) const;
    Result<> check(std::string_view busid) const;
    Result<> take(std::string_view busid) const;
    void give_back(std::string_view busid) const;

    Roots roots_;
};

} // namespace longcord
