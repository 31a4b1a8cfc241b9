// SPDX-License-Identifier: MIT
#include "host/vm_roster.hpp"

#include "plan/changes.hpp"

namespace longcord {

void VmRoster::proxmox(std::vector<RunningVm> running) {
    proxmox_ = std::move(running);
    tell();
}

void VmRoster::machines(std::vector<RunningVm> running) {
    machines_ = std::move(running);
    tell();
}

void VmRoster::configured(std::map<unsigned, VmConfig> configs) {
    configs_ = std::move(configs);
    vms_configured(reconciler_.world(), configs_);
}

/// Not before both have spoken once.
void VmRoster::tell() {
    if (!proxmox_ || !machines_)
        return;
    auto running = *proxmox_;
    running.insert(running.end(), machines_->begin(), machines_->end());
    World& world = reconciler_.world();
    std::map<unsigned, int> before;
    for (const auto& [vmid, vm] : world.vms)
        before[vmid] = vm.pid;
    vms_running(world, running);
    vms_configured(world, configs_);
    for (const auto& vm : running)
        if (!before.contains(vm.vmid) || before[vm.vmid] != vm.pid)
            journal_.vm(vm.vmid, "vm-started", fmt::format("QEMU runs, pid {}", vm.pid));
    for (const auto& [vmid, pid] : before)
        if (!world.vms.contains(vmid))
            journal_.vm(vmid, "vm-stopped", "QEMU has exited");
    reconciler_.wake();
}

} // namespace longcord
