// SPDX-License-Identifier: MIT
// Proxmox as a source of the World: which VMs run, what their configs and rules say, the notes that
// the hookscript leaves, and closed device nodes (a device_del typed by somebody).
#pragma once

#include "base/roots.hpp"
#include "base/worker_pool.hpp"
#include "host/journal.hpp"
#include "host/reconciler.hpp"
#include "host/rules_state.hpp"
#include "proxmox/config_watcher.hpp"
#include "proxmox/hook_notes.hpp"
#include "proxmox/open_node.hpp"
#include "proxmox/vm_registry.hpp"

namespace longcord {

class PveSource {
  public:
    PveSource(
        asio::io_context& loop, const Roots& roots, WorkerPool& pool, Reconciler& reconciler,
        Journal& journal, NodeWatch& nodes);

    Task<> watch_vms();
    Task<> watch_config();
    Task<> watch_hooks();
    Task<> watch_nodes();

    const std::map<unsigned, RulesState>& rules() const noexcept { return rules_; }
    const std::map<unsigned, VmConfig>& configs() const noexcept { return configs_; }
    bool proxmox() const noexcept { return proxmox_; }

  private:
    void take_rules(const std::map<unsigned, RulesText>& files);
    void take_file(unsigned vmid, const RulesText& file);

    Reconciler& reconciler_;
    Journal& journal_;
    NodeWatch& nodes_;
    VmRegistry registry_;
    ConfigWatcher config_;
    HookNotes hooks_;
    std::map<unsigned, RulesState> rules_;
    std::map<unsigned, VmConfig> configs_;
    bool proxmox_ = false;
};

} // namespace longcord
