// SPDX-License-Identifier: MIT
// Who runs on this node, from two sources: Proxmox' VMs and the machines of host.yaml. The World
// gets both together, since to it a VM that is in no list has stopped.
#pragma once

#include "host/journal.hpp"
#include "host/reconciler.hpp"
#include "proxmox/running_vm.hpp"
#include "proxmox/vm_config.hpp"

#include <map>
#include <vector>

namespace longcord {

class VmRoster {
  public:
    VmRoster(Reconciler& reconciler, Journal& journal)
        : reconciler_(reconciler), journal_(journal) {}

    void proxmox(std::vector<RunningVm> running);
    void machines(std::vector<RunningVm> running);
    void configured(std::map<unsigned, VmConfig> configs);

  private:
    void tell();

    Reconciler& reconciler_;
    Journal& journal_;
    std::optional<std::vector<RunningVm>> proxmox_;
    std::optional<std::vector<RunningVm>> machines_;
    std::map<unsigned, VmConfig> configs_;
};

} // namespace longcord
