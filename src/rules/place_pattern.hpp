// SPDX-License-Identifier: MIT
// The place of a rule: one port and everything below it, in whichever form the admin has at hand.
// Comparison is by whole components, always: 3-4 never covers 3-40, in no form.
#pragma once

#include "usb/place.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace longcord {

struct PlacePattern {
    enum class Kind {
        anywhere,         ///< */*
        local_bus,        ///< 3-4.1
        local_controller, ///< pci-0000:00:14.0/4.1
        devpath,          ///< /devices/pci0000:00/0000:00:14.0/usb3/3-4/3-4.1
        pi_any,           ///< workbench
        pi_bus,           ///< workbench/1-1.2
        pi_controller,    ///< workbench/platform-fe9c0000.xhci/1.2
    };

    Kind kind = Kind::anywhere;
    std::string pi;         ///< pi_*
    unsigned bus = 0;       ///< *_bus, and devpath: of its last component
    std::string controller; ///< *_controller
    PortPath path;          ///< empty for anywhere, pi_any, and the devpath of a root hub
    std::string devpath;    ///< devpath, as udev writes it, without /sys

    /// The error says what to write instead.
    static Result<PlacePattern> parse(std::string_view text);
    /// The same without words for what is wrong.
    static std::optional<PlacePattern> read(std::string_view text);
    /// What parse() reads back to an equal pattern. "workbench/*" becomes "workbench".
    std::string to_string() const;

    /// Whether a device at `place`, on that controller, with that udev DEVPATH, is at or below
    /// this. An empty controller or devpath is unknown, and covered by no pattern that names one.
    bool covers(
        const Place& place, std::string_view controller, std::string_view devpath) const noexcept;
    /// Whether whatever `other` covers is covered by this. Forms that only a running machine can
    /// compare (a bus with a controller) count as not covered.
    bool covers(const PlacePattern& other) const noexcept;

    bool is_of_pi() const noexcept { return !pi.empty(); }

    bool operator==(const PlacePattern&) const = default;
};

/// "pci-0000:00:14.0" or "platform-fe9c0000.xhci", as Device::controller has it.
bool is_controller_name(std::string_view name) noexcept;

/// Whether `path` is `root` or below it, by whole components.
bool is_at_or_below(std::string_view path, std::string_view root) noexcept;

} // namespace longcord
