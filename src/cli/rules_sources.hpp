// SPDX-License-Identifier: MIT
// Where `rules check` finds what it checks, without a service: the rules files of this node, the
// VMs and Pis that there are.
#pragma once

#include "base/roots.hpp"
#include "rules/check.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace longcord {

/// /etc/pve/qemu-server/*.usb.conf, and those of VMs of this node that still lie where the VM ran
/// before; by VMID.
std::vector<std::filesystem::path> rules_files(const Roots& roots);

/// Of the whole cluster; nullopt where there is no /etc/pve/qemu-server.
std::optional<std::vector<unsigned>> known_vmids(const Roots& roots);

/// Whose rules they are, of each VM of this node that has rules.
std::map<unsigned, RulesOwner> known_owners(const Roots& roots);

/// What is plugged into this machine now.
std::vector<SeenDevice> plugged_devices(const Roots& roots);

/// Paired Pis (their key files) and what host.yaml names; nullopt where the keys cannot be read, or
/// this machine is no node.
std::optional<std::vector<std::string>> known_pis(const Roots& roots);

/// The ports of host.yaml's virtual_machines, a RulesFile a machine, or what is wrong with that
/// file itself.
struct MachineRules {
    std::vector<RulesFile> machines;
    std::vector<FileDiagnostic> diagnostics;
};
MachineRules machine_rules(const Roots& roots);

} // namespace longcord
