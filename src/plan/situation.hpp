// SPDX-License-Identifier: MIT
// Everything the World says about one place, gathered once, so that the decision about it reads as
// a list of cases.
#pragma once

#include "plan/world.hpp"
#include "rules/match.hpp"

#include <map>
#include <vector>

namespace longcord {

struct SeenPlug {
    unsigned vmid = 0;
    const GuestDevice* device = nullptr;
};

struct Situation {
    const LocalDevice* local = nullptr; ///< a real device of this host
    const Device* announced = nullptr;  ///< what its Pi says is there
    const Pi* pi = nullptr;             ///< nullptr: local, or a Pi never heard of
    const Import* import = nullptr;
    unsigned vhci_port = 0;      ///< of the import
    bool port_freed = false;     ///< that port has no stream any more
    std::vector<SeenPlug> plugs; ///< by VMID
    const Action* in_flight = nullptr;
    const History* history = nullptr;

    /// The device as far as it is known: local, announced, or as it was enumerated here.
    const Device* device() const noexcept;
    /// What the rules are asked about. `device` is this place's, and must outlive the answer.
    Subject subject(const Device& device) const noexcept;
    /// The device of this host that QEMU would open; nullptr: there is none now.
    const LocalDevice* openable() const noexcept;
    /// The Pi is linked, has listed its devices, and this import is of none of them: its stream is
    /// dead or about to be.
    bool import_outlived() const noexcept;
    /// The Pi says that another node has the device; nullptr: it does not.
    const BusyElsewhere* busy_elsewhere(const Place& place) const noexcept;
    /// A stream that our own process carries has nobody at its other end: the Pi fell silent.
    bool relayed_to_silence() const noexcept;
    /// That VM's QEMU has something of this place.
    bool plugged_into(unsigned vmid) const noexcept;
    /// The kernel here has disconnected the import: nothing of it can stall any more.
    bool disconnected() const noexcept;
    /// Its stream has ended, and that the kernel has removed it was not seen yet: with many devices
    /// on one hub that takes seconds. QEMU would reset it as it lets go, and wait for the hub, and
    /// its VM with it.
    bool being_removed() const noexcept;
    /// Nobody can say that the stream still flows. A device_del on a stalled import freezes the VM.
    bool stream_in_doubt() const noexcept;
};

/// By place, so that the plan's order does not depend on who spoke first.
std::map<Place, Situation> situations(const World& world);

} // namespace longcord
