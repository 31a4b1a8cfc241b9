// SPDX-License-Identifier: MIT
// Which port of which xHCI of the guest a place gets. The same one every time where it is free, so
// that /dev/serial/by-path in the guest is stable.
#pragma once

#include "plan/world.hpp"

#include <map>
#include <set>

namespace longcord {

/// Ids of controllers: a static one for Longcord alone, Proxmox' own by its first usbN line.
constexpr std::string_view own_controller = "longcord";
constexpr std::string_view proxmox_controller = "xhci";

class GuestPorts {
  public:
    /// Counts as taken: what QEMU shows, what is in flight.
    explicit GuestPorts(const World& world);

    /// Chooses and takes a port. Errors: not_found (the VM has no xHCI, says what to do), full
    /// (says how many ports there are), busy (the rule's `port=` is taken).
    Result<GuestPort> choose(unsigned vmid, const Place& place, std::optional<unsigned> wanted);

  private:
    bool is_free(unsigned vmid, const GuestPort& port) const;

    const World& world_;
    std::map<unsigned, std::set<GuestPort>> taken_;
};

} // namespace longcord
