// SPDX-License-Identifier: MIT
// /var/lib/longcord/modes.json: the modes across reboots. Replaced by rename, so no start ever
// reads half of it.
#pragma once

#include "base/error.hpp"
#include "base/roots.hpp"
#include "pi/modes.hpp"

namespace longcord {

/// A missing file is none set. invalid: somebody has written into it; the message names it.
Result<Modes> load_modes(const Roots& roots);
/// A file that somebody has broken is not lost by that: it becomes modes.json.broken.
Result<> save_modes(const Roots& roots, const Modes& modes);

/// "1-1.2" by the controller that its bus belongs to now. not_found: there is no such bus.
Result<ControllerPlace> by_controller(const Roots& roots, const Place& place);

} // namespace longcord
