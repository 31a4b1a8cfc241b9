// SPDX-License-Identifier: MIT
// Who runs on this node, from /run/qemu-server: a VM runs from the moment its pidfile names a
// process that is its QEMU and its QMP socket is there, until that process exits. Files left by a
// crash are no running VM, and a process that exits is noticed at once (pidfd), before anybody has
// cleaned up after it. Works where the directory appears later: with the first VM, or never.
#pragma once

#include "base/directory_watch.hpp"
#include "base/roots.hpp"
#include "base/task.hpp"
#include "base/unique_fd.hpp"
#include "base/wait_set.hpp"
#include "proxmox/running_vm.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <vector>

#include <boost/asio/io_context.hpp>

namespace longcord {

class VmRegistry {
  public:
    VmRegistry(asio::io_context& loop, Roots roots);

    /// The full set, ordered by VMID, each time it changed; the first call returns the present set
    /// at once. One caller at a time.
    Task<std::vector<RunningVm>> next();

  private:
    struct Member {
        RunningVm vm;
        UniqueFd process;
    };

    void look();
    void drop_exited();
    void admit(unsigned vmid);
    void drop(unsigned vmid);
    std::vector<RunningVm> present() const;

    Roots roots_;
    DirectoryWatch directory_;
    WaitSet set_;
    std::map<unsigned, Member> members_;
    std::optional<std::vector<RunningVm>> told_;
};

} // namespace longcord
