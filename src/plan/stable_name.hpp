// SPDX-License-Identifier: MIT
// The name of a place that survives a reboot: by its controller, since bus numbers move. Everything
// that is persisted is keyed by it.
#pragma once

#include "plan/world.hpp"

namespace longcord {

/// "pci-0000:00:14.0/4.1", "workbench/platform-fe9c0000.xhci/1.2"; the short form where the
/// controller is not known.
std::string stable_name(const Place& place, std::string_view controller);

/// Nullopt: no device there is known now, so neither is its controller.
std::optional<std::string> stable_name(const World& world, const Place& place);
/// Also of a place where nothing is plugged in: what else is on its bus tells the controller.
/// Nullopt: nothing is.
std::optional<std::string> stable_name_by_bus(const World& world, const Place& place);

} // namespace longcord
