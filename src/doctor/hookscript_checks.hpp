// SPDX-License-Identifier: MIT
// Hookscripts that VMs name. Proxmox starts no VM whose hookscript is missing on its node, and one
// of the scripts that Longcord replaces plugs what longcord plugs.
#pragma once

#include "base/roots.hpp"
#include "doctor/finding.hpp"

namespace longcord {

/// Of all VMs of the cluster: one of another node may come here.
Findings check_hookscripts(const Roots& roots);

} // namespace longcord
