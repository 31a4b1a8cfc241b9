// SPDX-License-Identifier: MIT
// The static USB controller in a VM's `args:` line: the one that survives migration, RAM snapshots
// and a reboot, since QEMU has it from the start on every node. `args:` is one line of QEMU
// options, split as a shell would (PVE::Tools::split_args); what others have put there stays as it
// is.
#pragma once

#include "base/error.hpp"

#include <string>
#include <string_view>

namespace longcord {

/// Slot 31 of pci.1 is the one that Proxmox never uses (PVE::QemuServer::PCI has 1 to 30), and both
/// machine types have that bridge.
constexpr std::string_view static_controller =
    "-device qemu-xhci,id=longcord,p2=15,p3=15,bus=pci.1,addr=0x1f";

/// `args` with the controller; as it is where it is there already. ErrorKind::busy: something else
/// has its slot or its id; ::invalid: a quote is not closed, or a backslash stands at the end.
Result<std::string> with_controller(std::string_view args);

/// `args` without it; as it is where it is not there.
Result<std::string> without_controller(std::string_view args);

} // namespace longcord
