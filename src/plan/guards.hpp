// SPDX-License-Identifier: MIT
// What is never plugged without `force` in the rule: a disk that the host has in use, a network
// interface that is up or in a bridge, a device that another process has, and whatever a `usbN:`
// line of any VM of this node names. Pure: the facts stand in the World.
#pragma once

#include "plan/situation.hpp"
#include "proxmox/usb_mapping.hpp"

namespace longcord {

/// A use that was read so long ago says nothing of now: it is looked at again before plugging.
constexpr milliseconds use_believed{1'000};
/// However many events come: not more often than this for one device.
constexpr milliseconds looks_apart{200};

std::vector<NativeUse> native_uses(
    const std::map<unsigned, VmConfig>& configs, const UsbMappings& mappings,
    const std::string& node);

/// The line that names this place or the device there, as a sentence.
std::optional<std::string> named_by_usb_line(const World& world, const Situation& situation);

/// Who has it, as a sentence; the QEMU of `vmid` counts as nobody.
std::optional<std::string> used_by_host(const World& world, unsigned vmid, const HostUse& use);

/// What was read of the device that is at that place now; nullptr: nothing yet.
const SeenUse* known_use(const World& world, const Place& place) noexcept;

// --- what happens ---

void use_seen(World& world, const Place& place, HostUse use, TimePoint now);
/// The host has begun or ended to use something.
void uses_touched(World& world);
/// A process has closed this device node.
void node_closed(World& world, const std::string& node);

} // namespace longcord
