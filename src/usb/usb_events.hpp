// SPDX-License-Identifier: MIT
// What wakes us when USB changes. An event only says where to look: what is there is read from
// sysfs. Two sources: udev, and a watched folder for tests that live below LONGCORD_ROOT, where
// udev is silent.
#pragma once

#include "base/roots.hpp"
#include "base/task.hpp"

#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

namespace longcord {

struct UsbEvent {
    enum class Action { add, remove, change, bind, unbind, other } action = Action::other;
    std::string sysname; ///< "3-4.1", "3-4.1:1.0", "usb3"
    std::string devpath; ///< "/devices/..."; may be empty for a removal seen by the folder source
    bool interface = false; ///< devtype usb_interface
    unsigned devnum = 0;    ///< of a device that is gone, on its bus; 0: not told
    bool overflow = false;  ///< events were lost: enumerate everything anew

    /// Says that events were lost.
    static UsbEvent lost() {
        UsbEvent event;
        event.overflow = true;
        return event;
    }
    /// The device that this event is about: "3-4.1" for its interface "3-4.1:1.0" too.
    std::string device() const { return sysname.substr(0, sysname.find(':')); }
};

class UsbEvents {
  public:
    virtual ~UsbEvents() = default;
    /// Waits; at least one event, in the order they happened. One caller at a time.
    virtual Task<std::vector<UsbEvent>> next() = 0;
};

/// udev for the real root, the folder for any other. Throws where the source cannot be opened.
std::unique_ptr<UsbEvents> watch_usb(asio::io_context& loop, const Roots& roots);

/// A device's `bind` and `remove` come from the kernel itself, at once. Everything else comes after
/// udev has worked through its rules, and is not told where the device was bound since: who looked
/// at it then saw what had happened before.
std::unique_ptr<UsbEvents> watch_udev(asio::io_context& loop);

/// Entries that come and go in <root>/sys/bus/usb/devices, which is created if need be.
std::unique_ptr<UsbEvents> watch_usb_folder(asio::io_context& loop, const Roots& roots);

} // namespace longcord
