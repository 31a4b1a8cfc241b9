// SPDX-License-Identifier: MIT
// What Proxmox' files on this node say: quorum, hookscripts that are missing, VMs that have rules
// and no controller, leftovers of scripts that do the same work.
#pragma once

#include "base/roots.hpp"
#include "doctor/finding.hpp"

namespace longcord {

/// `hot_add`: of host.yaml. A running VM that has no controller gets one.
Findings check_pve(const Roots& roots, bool hot_add = false);
/// udev rules of the blog's script, of hotplugger and the like: they plug what longcord plugs.
Findings check_old_udev_rules(const Roots& roots);

} // namespace longcord
