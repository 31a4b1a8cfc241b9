// SPDX-License-Identifier: MIT
// A place is where a device is plugged: "3-4.1" on this host, "workbench/1-1.2" on the Pi named
// workbench. Comparison is by whole port components, so 3-4 covers 3-4.1 and never 3-40.
#pragma once

#include "base/error.hpp"

#include <compare>
#include <string>
#include <string_view>
#include <vector>

namespace longcord {

/// Port numbers from the root hub down: "4.1.2". Never empty in a Place.
struct PortPath {
    std::vector<unsigned> ports;

    /// "4.1.2": no sign, no blank, no empty component, no port 0 (the kernel counts from 1).
    static Result<PortPath> parse(std::string_view text);
    std::string to_string() const;
    /// This port and everything below it.
    bool covers(const PortPath& other) const noexcept;

    auto operator<=>(const PortPath&) const = default;
};

struct Place {
    std::string pi; ///< empty: this host
    unsigned bus = 0;
    PortPath path;

    /// "3-4.1" or "workbench/1-1.2".
    static Result<Place> parse(std::string_view text);
    std::string to_string() const;
    /// Without the Pi's name: "1-1.2", what the kernel and USB/IP call the busid.
    std::string busid() const;
    bool is_local() const noexcept { return pi.empty(); }
    bool covers(const Place& other) const noexcept;

    auto operator<=>(const Place&) const = default;
};

/// `[a-z][a-z0-9-]{0,30}`, and not the beginning of a controller path ("pci-", "platform-").
bool is_pi_name(std::string_view name) noexcept;

} // namespace longcord
