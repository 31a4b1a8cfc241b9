// SPDX-License-Identifier: MIT
// Machines that are no Proxmox VMs (host.yaml, virtual_machines) as a source of the World. Such a
// machine runs from the moment somebody listens on its QMP socket until that process exits; who it
// is says the kernel (SO_PEERCRED). Its rules stand in host.yaml, in hotplugger's form.
#pragma once

#include "base/directory_watch.hpp"
#include "base/unique_fd.hpp"
#include "base/wait_set.hpp"
#include "config/host_config.hpp"
#include "host/rules_book.hpp"
#include "host/vm_roster.hpp"

#include <memory>

namespace longcord {

class MachineSource {
  public:
    MachineSource(
        asio::io_context& loop, std::filesystem::path config_file, Reconciler& reconciler,
        Journal& journal, RulesBook& rules, VmRoster& roster);

    /// At start, and when host.yaml was read anew.
    void configure(const std::vector<MachineConfig>& machines);
    Task<> watch();

  private:
    struct Machine {
        MachineConfig config;
        std::unique_ptr<DirectoryWatch> folder; ///< of its socket
        UniqueFd process;                       ///< none: it does not run
        int pid = 0;
        unsigned knocks = 0; ///< how often nobody answered since something happened
    };

    void set_rules(unsigned id, const MachineConfig& machine);
    void forget(unsigned id);
    bool look();
    void knock(Machine& machine);
    std::vector<RunningVm> present() const;

    asio::io_context& loop_;
    std::string config_file_;
    Reconciler& reconciler_;
    Journal& journal_;
    RulesBook& rules_;
    VmRoster& roster_;
    WaitSet set_;
    UniqueFd configured_; ///< readable: the machines are others now
    std::map<unsigned, Machine> machines_;
};

} // namespace longcord
