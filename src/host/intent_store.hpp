// SPDX-License-Identifier: MIT
// The files in which a VM's intent (proxmox/vm_intent.hpp) lies, and the World's copy of it. The
// node that has the VM writes; where it cannot (no quorum, a full disk) the World's copy serves and
// is written later. What another node or `longcord rules adopt` wrote is taken over.
#pragma once

#include "base/roots.hpp"
#include "base/worker_pool.hpp"
#include "host/journal.hpp"
#include "host/reconciler.hpp"
#include "proxmox/config_watcher.hpp"

#include <map>
#include <set>

namespace longcord {

class IntentStore {
  public:
    IntentStore(
        asio::io_context& loop, const Roots& roots, WorkerPool& pool, Reconciler& reconciler,
        Journal& journal);

    /// Those of machines and of a node without Proxmox; before anything is planned.
    Task<> load_local();
    /// Those in /etc/pve, of the same look as the rules.
    void take(const PveSnapshot& snapshot);
    /// Writes what has changed, if this node may. Called after each plan.
    void save_changes();

    /// VMs whose intent could not be written so far.
    const std::set<unsigned>& unwritten() const noexcept { return unwritten_; }

  private:
    void index(const PveSnapshot& snapshot);
    void forget_another_vms_hands(unsigned vmid, const std::string& uuid);
    bool ours_to_write(unsigned vmid) const;
    std::filesystem::path file_of(unsigned vmid) const;
    Task<> save(unsigned vmid);

    asio::io_context& loop_;
    Roots roots_;
    WorkerPool& pool_;
    Reconciler& reconciler_;
    Journal& journal_;
    bool proxmox_ = false;
    std::map<unsigned, std::string> here_;  ///< uuids of VMs whose configuration lies on this node
    std::map<unsigned, std::string> known_; ///< texts as last read or written
    std::set<unsigned> saving_;
    std::set<unsigned> unwritten_;
};

} // namespace longcord
