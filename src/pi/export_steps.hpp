// SPDX-License-Identifier: MIT
// What the exporter has done to one device, and the look at what became of it, in one job: what is
// true afterwards is read, not assumed. All of it waits for the device's lock in the kernel: call
// it on the WorkerPool. Whatever is done first releases the claim of the port
// (pi/ports_to_claim.hpp).
#pragma once

#include "base/error.hpp"
#include "base/roots.hpp"
#include "usb/sysfs_reader.hpp"
#include "usbip/port_claims.hpp"

#include <string>

namespace longcord {

/// What a look finds. `held`: the port was claimed when the kernel probed it, so no driver of this
/// machine has it.
struct Look {
    LocalDevice local;
    bool held = false;
};

/// Whoever has come: the claim did its work, and would be in usbip-host's way. It is kept until the
/// kernel has decided about a configuration, which it has when the device itself has its driver;
/// that is an event, too. not_found: nothing is plugged there.
Result<Look> look_at(const Roots& roots, PortClaims& claims, const std::string& busid);

/// Whether it may leave its drivers, as it is now. No USB event tells that a disk was found on it,
/// or that its network adapter was given its firmware: what was seen of it then may be all that
/// there was. busy: its disk is in use here. refused: it never leaves this machine. unavailable,
/// not_found: it is not there any more.
Result<> may_leave(const Roots& roots, const LocalDevice& seen);

/// Fails as may_leave() does. `held`: if it cannot be bound its own drivers are let in, since
/// nobody else would configure it.
Result<LocalDevice> bind_and_look(
    const Roots& roots, PortClaims& claims, const LocalDevice& local, bool held);

Result<LocalDevice> unbind_and_look(const Roots& roots, const LocalDevice& local);

/// One that is held: this machine's drivers are let in.
Result<LocalDevice> give_back_and_look(
    const Roots& roots, PortClaims& claims, const LocalDevice& local);

} // namespace longcord
