// SPDX-License-Identifier: MIT
// What is known of this machine's devices and of what the nodes were told: the World of the Pi. It
// changes only by the functions below and is thrown away at the end; the next start reads sysfs and
// finds exported devices bound.
#pragma once

#include "base/clock.hpp"
#include "base/error.hpp"
#include "usb/device.hpp"

#include <map>
#include <set>
#include <string>

namespace longcord {

constexpr std::string_view usbip_host_driver = "usbip-host";

inline bool is_bound(const LocalDevice& local) {
    return local.device_driver == usbip_host_driver;
}

struct PluggedDevice {
    LocalDevice local;
    TimePoint since{}; ///< when it was first seen, or let to its drivers
    bool held = false; ///< it came to a port that was claimed: no driver of this machine has it
};

/// Who was exported at a place. usbip-host remembers places, not devices: what is plugged there
/// next is bound by the kernel at once, so we must know whether it is the same kind of device.
struct ExportedBefore {
    LocalDevice local;    ///< as it was before it was bound: its drivers decided
    bool adopted = false; ///< bound when we started, or by hand: somebody wanted it
};

/// An operation that failed, for the device with this number; a replugged one starts over.
struct FailedExport {
    unsigned devnum = 0;
    unsigned failures = 0;
    TimePoint retry_at{};
    std::string why;
};

/// All by busid.
struct ExportState {
    std::map<std::string, PluggedDevice> plugged;
    std::map<std::string, Device> announced; ///< what the nodes know of
    std::map<std::string, ExportedBefore> before;
    std::map<std::string, FailedExport> failed;
    std::set<std::string> renew;   ///< bound, and to be bound anew: the kernel gave them up
    std::set<std::string> busy;    ///< a look or an operation is under way
    std::set<std::string> binding; ///< of those, the ones that usbip-host is about to have
};

/// How a device came to be looked at.
enum class Sight {
    at_start,   ///< it was there when we started
    event,      ///< something happened to it
    after_bind, ///< we have just bound it
    given_back, ///< we have just let this machine's drivers have it
};

/// Writes into the state what a look at this place found; an error means nothing is there. `held`:
/// its port was claimed until this look.
void observe(
    ExportState& state, const std::string& busid, const Result<LocalDevice>& found, Sight sight,
    TimePoint now, bool held = false);

/// 0.5 s, doubled at each failure, 30 s at most.
void note_failure(
    ExportState& state, const std::string& busid, const std::string& why, TimePoint now);

/// The same kind of device: id, version and class are equal. Its interfaces do not count: which
/// ones are seen depends on the configuration, and a bound device has none.
bool same_kind(const Device& one, const Device& other);

/// The same device, not plugged anew in between.
bool same_device(const Device& one, const Device& other);

} // namespace longcord
