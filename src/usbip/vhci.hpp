// SPDX-License-Identifier: MIT
// vhci_hcd: the virtual host controller that imported devices are attached to. Everything here is a
// read or write of sysfs that can block (attach waits for the kernel's locks, detach for its event
// thread): call it on the WorkerPool.
#pragma once

#include "base/error.hpp"
#include "base/roots.hpp"
#include "usb/device.hpp"
#include "usbip/vhci_status.hpp"

#include <cstdint>
#include <vector>

namespace longcord {

class Vhci {
  public:
    explicit Vhci(Roots roots) : roots_(std::move(roots)) {}

    /// Whether the module is loaded.
    bool present() const;

    /// Every port of every controller, in order: 16 with Ubuntu's and Proxmox' kernels, 240 with
    /// Debian's.
    Result<std::vector<VhciPort>> ports() const;

    /// Gives a connected stream socket of this process to the kernel, which then holds it by
    /// itself: the descriptor may be closed at once. busy: the port was taken meanwhile, choose
    /// another. The device appears later: poll ports() for State::used to learn its local busid.
    Result<> attach(unsigned port, int socket, std::uint32_t devid, Speed speed) const;

    /// Asynchronous: poll ports() with is_free(). not_found: the port is free already.
    Result<> detach(unsigned port) const;

  private:
    std::filesystem::path file(const std::string& name) const;

    Roots roots_;
};

} // namespace longcord
