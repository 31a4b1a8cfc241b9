// SPDX-License-Identifier: MIT
// Proxmox as a source of the World: which VMs run, what their configs and rules say, the notes that
// the hookscript leaves, and closed device nodes (a device_del typed by somebody).
#pragma once

#include "base/roots.hpp"
#include "base/worker_pool.hpp"
#include "host/intent_store.hpp"
#include "host/journal.hpp"
#include "host/reconciler.hpp"
#include "host/rules_book.hpp"
#include "host/vm_roster.hpp"
#include "proxmox/config_watcher.hpp"
#include "proxmox/hook_notes.hpp"
#include "proxmox/open_node.hpp"
#include "proxmox/vm_registry.hpp"

namespace longcord {

class PveSource {
  public:
    PveSource(
        asio::io_context& loop, const Roots& roots, WorkerPool& pool, Reconciler& reconciler,
        Journal& journal, NodeWatch& nodes, IntentStore& intents, RulesBook& rules,
        VmRoster& roster);

    Task<> watch_vms();
    Task<> watch_config();
    Task<> watch_hooks();
    Task<> watch_nodes();

    /// As last seen: configurations, rules, who is in the cluster.
    const PveSnapshot& seen() const noexcept { return seen_; }

  private:
    void tell_unloadable(const std::vector<unsigned>& noted);
    void bring_rules_home();
    Task<> bring_home(unsigned vmid, std::filesystem::path from);

    asio::io_context& loop_;
    Roots roots_;
    WorkerPool& pool_;
    Reconciler& reconciler_;
    Journal& journal_;
    NodeWatch& nodes_;
    VmRegistry registry_;
    ConfigWatcher config_;
    HookNotes hooks_;
    IntentStore& intents_;
    RulesBook& rules_;
    VmRoster& roster_;
    PveSnapshot seen_;
    std::set<unsigned> moving_;     ///< rules files that are on their way to this node
    std::set<unsigned> told_stuck_; ///< that could not be moved, and somebody was told
};

} // namespace longcord
