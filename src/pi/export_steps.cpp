// SPDX-License-Identifier: MIT
#include "pi/export_steps.hpp"

#include "pi/export_state.hpp"
#include "pi/policy.hpp"
#include "usb/disk_use.hpp"
#include "usbip/export.hpp"

#include <utility>

namespace longcord {

Result<Look> look_at(const Roots& roots, PortClaims& claims, const std::string& busid) {
    auto local = read_local_device(roots, busid);
    if (!local)
        return local.error();
    const bool probed = !local->device_driver.empty() && !is_bound(*local);
    const bool claimed = probed && claims.release(busid);
    // Configured: it came in the moment before its port was claimed, and has met its drivers.
    const bool held = claimed && local->configuration == 0;
    return Look{std::move(*local), held};
}

Result<> may_leave(const Roots& roots, const LocalDevice& seen) {
    const auto busid = seen.device.place.busid();
    const auto now = read_again(roots, seen);
    if (!now)
        return now.error();
    if (!same_device(now->device, seen.device))
        return fail(ErrorKind::unavailable, "{}: another device has come there", busid);
    if (const auto why = never_leaves(*now, {}))
        return fail(ErrorKind::refused, "{} stays on this machine: {}", busid, *why);
    if (const auto disk = disk_in_use(roots, *now))
        return fail(ErrorKind::busy, "{}: its disk {} is in use on this machine", busid, *disk);
    return {};
}

Result<LocalDevice> bind_and_look(
    const Roots& roots, PortClaims& claims, const LocalDevice& local, bool held) {
    const auto busid = local.device.place.busid();
    claims.release(busid); // usbip-host makes its own (stub_probe, usb_hub_claim_port)
    auto bound = may_leave(roots, local);
    if (bound)
        bound = UsbipHost(roots).bind(busid);
    if (!bound) {
        if (held)
            (void)UsbipHost(roots).let_drivers_in(busid);
        return bound.error();
    }
    auto now = read_again(roots, local);
    if (now && !is_bound(*now))
        return fail(ErrorKind::system, "{}: usbip-host did not take it", busid);
    return now;
}

Result<LocalDevice> unbind_and_look(const Roots& roots, const LocalDevice& local) {
    const auto busid = local.device.place.busid();
    if (const auto unbound = UsbipHost(roots).unbind(busid); !unbound)
        return unbound.error();
    auto now = read_local_device(roots, busid);
    if (now && is_bound(*now))
        return fail(ErrorKind::system, "{}: usbip-host did not let it go", busid);
    return now;
}

Result<LocalDevice> give_back_and_look(
    const Roots& roots, PortClaims& claims, const LocalDevice& local) {
    const auto busid = local.device.place.busid();
    claims.release(busid);
    if (const auto given = UsbipHost(roots).let_drivers_in(busid); !given)
        return given.error();
    return read_local_device(roots, busid);
}

} // namespace longcord
