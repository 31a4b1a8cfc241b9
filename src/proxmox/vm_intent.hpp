// SPDX-License-Identifier: MIT
// What is remembered of a VM because nothing else knows it: for whom its rules were written, which
// guest port each place had, what was attached or detached by hand, and what was plugged while its
// RAM was saved. One file a VM:
// /etc/pve/longcord/vm/<VMID>.json, where it follows the VM to every node, or
// /var/lib/longcord/vm/<VMID>.json where there is no Proxmox. Places are named by their controller
// ("pci-0000:00:14.0/4.1"), since bus numbers move at reboot.
#pragma once

#include "base/error.hpp"
#include "proxmox/saved_ram.hpp"

#include <compare>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace longcord {

/// A guest port, remembered, so the guest's own /dev/serial/by-path stays true.
struct GuestPort {
    std::string bus; ///< "xhci.0"
    unsigned port = 0;
    auto operator<=>(const GuestPort&) const = default;
};

/// RAM that was saved while something of ours was plugged: it loads only where each of these ports
/// has a usb-host again.
struct UnloadableRam {
    static constexpr std::size_t most_ports = 32; ///< two full controllers

    std::string snapshot;                     ///< empty: hibernation
    std::string stamp;                        ///< as SavedRam has it
    std::map<GuestPort, std::string> plugged; ///< what was there: "workbench/1-1.2"

    bool operator==(const UnloadableRam&) const = default;
};

struct VmIntent {
    static constexpr std::size_t most_pins = 128;   ///< more are not remembered
    static constexpr std::size_t most_by_hand = 64; ///< attached, and as many detached

    std::string owner; ///< uuid of the VM that the rules are for; empty: not remembered yet
    std::map<std::string, GuestPort> pins;
    std::set<std::string> attached;
    std::set<std::string> detached;
    std::vector<UnloadableRam> unloadable; ///< at most SavedRam::most
    std::set<std::string> forced;          ///< of those attached: also where a guard refuses
    /// Uuid of the VM for which places were attached and detached; empty: none were, or it has
    /// none.
    std::string by_hand_for;

    bool has_by_hand() const noexcept { return !attached.empty() || !detached.empty(); }

    bool operator==(const VmIntent&) const = default;
};

constexpr std::size_t largest_intent = std::size_t{64} * 1024;

std::string format_intent(const VmIntent& intent);
/// Unknown keys are ignored; a wrong type anywhere makes it ErrorKind::invalid.
Result<VmIntent> parse_intent(std::string_view text);

} // namespace longcord
