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

/// Why this VM, as it was seen, can get nothing at all; nullopt: it has a usable controller.
std::optional<std::string> why_no_controller(unsigned vmid, const Vm& vm);

class GuestPorts {
  public:
    /// Counts as taken: what QEMU shows, what is in flight.
    explicit GuestPorts(const World& world);

    /// Chooses and takes a port. Errors: not_found (the VM has no xHCI, says what to do), full
    /// (says who holds which port), busy (the rule's `port=` is taken).
    Result<GuestPort> choose(unsigned vmid, const Place& place, std::optional<unsigned> wanted);
    /// What choose() took and the device does not get now.
    void give_back(unsigned vmid, const GuestPort& port) { taken_[vmid].erase(port); }

  private:
    bool is_free(unsigned vmid, const GuestPort& port) const;
    std::string holders(unsigned vmid, const GuestController& controller) const;
    Error all_taken(unsigned vmid, const std::vector<const GuestController*>& usable) const;

    const World& world_;
    std::map<unsigned, std::set<GuestPort>> taken_;
};

} // namespace longcord
