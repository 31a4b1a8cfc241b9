// SPDX-License-Identifier: MIT
// What the kernel of this machine has and has left.
#pragma once

#include "base/roots.hpp"
#include "doctor/finding.hpp"

namespace longcord {

/// vhci_hcd, its ports and root hubs, tls, usbfs' memory.
Findings check_node_kernel(const Roots& roots, bool service_runs);
/// usbip-host and its 16 exports, tls.
Findings check_pi_kernel(const Roots& roots);

} // namespace longcord
