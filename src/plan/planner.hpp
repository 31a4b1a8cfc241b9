// SPDX-License-Identifier: MIT
// The one idea: events only wake this function. It looks at the whole World and says what to do
// next for every place and every VM; hot plug, VM start, Pi reboot, a changed rule and a restart of
// the service are all the same to it. Pure, total, deterministic; `now` is handed in.
#pragma once

#include "plan/action.hpp"
#include "plan/world.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace longcord {

enum class DeviceState {
    unclaimed, ///< nobody wants it
    waiting,   ///< wanted, and something must happen first
    importing, ///< on its way from the Pi
    plugging,  ///< a QMP session has it
    plugged,   ///< QEMU has it open and attached
    leaving,   ///< being taken out
    held_off,  ///< it came and went too often
    conflict,  ///< two running VMs want it equally
    refused,   ///< a limit or a guard says no, and says why
    hub,       ///< never plugged itself
};

std::string_view to_string(DeviceState state) noexcept;

/// Where a place stands, for people: `status`, `explain`, the Pi.
struct Outcome {
    DeviceState state = DeviceState::unclaimed;
    std::optional<unsigned> vmid;
    std::optional<unsigned> guest_port;
    bool in_use_by_guest = false; ///< usbfs drives its interfaces: the guest configured it
    std::string why;

    bool operator==(const Outcome&) const = default;
};

struct Plan {
    std::vector<Action> actions;
    std::map<Place, Outcome> outcomes;
    std::optional<TimePoint> wake; ///< plan again then, even if nothing happens

    void wake_at(TimePoint time) {
        if (!wake || time < *wake)
            wake = time;
    }
};

/// An import must have enumerated on this host within this time (design, section 6).
constexpr milliseconds enumeration_limit{3'000};

Plan plan(const World& world, TimePoint now);

} // namespace longcord
