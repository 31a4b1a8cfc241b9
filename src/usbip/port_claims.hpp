// SPDX-License-Identifier: MIT
// Ports of vhci's root hubs that are ours alone (USBDEVFS_CLAIM_PORT): while one is claimed, no
// driver of this host binds to what is plugged there (usb_probe_interface() asks
// usb_device_is_owned(), drivers/usb/core/driver.c and hub.c), whoever asks for it. QEMU asks
// whenever it lets go of a device, announced or not, while usbfs may still claim the interfaces
// (docs/adr/0001). A claim ends with its descriptor, so the descriptors are given to systemd too,
// which keeps them while a killed service is started again.
#pragma once

#include "base/error.hpp"
#include "base/roots.hpp"
#include "base/unique_fd.hpp"

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

namespace longcord {

class PortClaims {
  public:
    /// Takes what systemd kept from the last run. `roots`: /dev and /sys.
    explicit PortClaims(Roots roots);

    /// The port that this device hangs on: "5-1" is port 1 of usb5. Waits while the hub's lock is
    /// held, which it is while something else enumerates there: for the WorkerPool. not_found: no
    /// such hub or node; busy: another program has claimed it.
    Result<> claim(std::string_view sysname);
    /// So that another's attach to that port is as it was. What is not claimed is no error.
    void release(std::string_view sysname);
    /// Of everything but these: after a restart, claims of imports that are over.
    void release_all_but(const std::set<std::string>& sysnames);

  private:
    struct Port {
        unsigned bus = 0;
        unsigned number = 0;
    };
    static Result<Port> port_of(std::string_view sysname);
    Result<int> hub(unsigned bus);
    unsigned ports_of(unsigned bus) const;

    Roots roots_;
    std::mutex mutex_;                  ///< claims are made on worker threads
    std::map<unsigned, UniqueFd> hubs_; ///< open root hubs, by bus
};

} // namespace longcord
