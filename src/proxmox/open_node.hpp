// SPDX-License-Identifier: MIT
// Which process has a device's node /dev/bus/usb/BBB/DDD open. QEMU holds the node for as long as
// the device is plugged, so this is half of the proof that it is (QOM `attached` is the other), and
// a close is how a `device_del` that somebody typed becomes an event.
//
// Nodes are named as they were given to QEMU (`hostdevice`): with the root prefix, if there is one.
#pragma once

#include "base/inotify.hpp"
#include "base/roots.hpp"
#include "base/task.hpp"
#include "usb/host_use.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

namespace longcord {

/// Reads the links of /proc/<pid>/fd without opening or following them: a disk image on a hung NFS
/// server blocks nobody here. False also where the process or the node is gone.
bool has_open(const Roots& roots, int pid, const std::filesystem::path& node);

/// Every process but our own that has it open, by pid. Walks the whole of /proc: call it on the
/// WorkerPool.
std::vector<HostUse::Opener> openers_of(const Roots& roots, const std::filesystem::path& node);

class NodeWatch {
  public:
    explicit NodeWatch(asio::io_context& loop) : inotify_(loop) {}

    /// Watching a node again is fine. Not_found: the device has left already.
    Result<> watch(const std::string& node);
    void forget(const std::string& node);

    /// A watched node that somebody, anybody (lsusb, udev), has closed: a hint to ask has_open().
    /// After an overflow every watched node is named. A node that vanishes with its device is
    /// forgotten in silence: the kernel's own event tells of that. One caller at a time.
    Task<std::string> closed();

  private:
    void note(const InotifyEvent& event);
    void note_closed(const std::string& node);

    Inotify inotify_;
    std::map<int, std::string> nodes_;
    std::vector<std::string> closed_;
};

} // namespace longcord
