// SPDX-License-Identifier: MIT
// Which TCP port a place has. A place keeps its port for ever, also while nothing is plugged there:
// clients have it in their settings. Pure: the caller keeps the map on disk.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace longcord {

constexpr std::uint16_t first_serial_port = 4000;
/// Observers of port N connect to N + 1000.
constexpr std::uint16_t serial_observer_offset = 1000;

/// By the place's controller form ("platform-fe9c0000.xhci/1.2"), which a restart does not change.
using PortNumbers = std::map<std::string, std::uint16_t>;

/// The port of a place, entered in `kept` where it is new: the one that `fixed` says, the one it
/// had, or the lowest from 4000 on that no other place has or is to have. nullopt: there is none.
std::optional<std::uint16_t> serial_port_of(
    const std::string& place, PortNumbers& kept, const PortNumbers& fixed);

} // namespace longcord
