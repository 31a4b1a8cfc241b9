// SPDX-License-Identifier: MIT
// Which devices leave this machine. Pure: one device, the admin's wishes, and a judgement with its
// reason. Hubs, imported devices and network adapters stay, whatever pi.yaml says: the Pi would cut
// itself off.
#pragma once

#include "config/pi_config.hpp"
#include "pi/modes.hpp"
#include "usb/device.hpp"

#include <optional>
#include <string>

namespace longcord {

struct Judgement {
    enum class Kind {
        exported,
        not_yet, ///< its drivers may still be on their way: ask again when it has settled
        kept,    ///< stays on this machine
    } kind = Kind::kept;
    std::string why;                   ///< a clause for people: "its driver cp210x is exported"
    DeviceMode mode = DeviceMode::off; ///< what it is for, when all is done

    bool operator==(const Judgement&) const = default;
};

/// `settled`: it has been plugged for as long as drivers take to load and bind.
Judgement judge(
    const LocalDevice& local, const ExportConfig& config, const Modes& modes, bool settled);

/// Why nothing can make it leave this machine, not even a mode; nullopt: something can. (A disk
/// that is in use is asked for right before it would be bound.)
std::optional<std::string> never_leaves(const LocalDevice& local, const ExportConfig& config);

/// Its interfaces are all of standard classes (USB-IF), so that no driver is needed to know that it
/// is no network adapter in disguise.
bool classes_tell_all(const Device& device);

/// A network adapter: it is one to this machine, or its descriptors say so (USB-IF class codes:
/// CDC Ethernet, EEM, NCM, MBIM, and RNDIS in its three disguises).
bool is_network(const LocalDevice& local);

} // namespace longcord
