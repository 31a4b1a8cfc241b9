// SPDX-License-Identifier: MIT
// Machines that are no Proxmox VMs (host.yaml, virtual_machines) are VMs of the World like all
// others. Their number is made from their name and lies above Proxmox' highest VMID, so the two
// never meet and what is remembered of a machine is found again; people see the name.
#pragma once

#include "proxmox/vm_files.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace longcord {

constexpr unsigned lowest_machine_id = 1'000'000'000;
static_assert(lowest_machine_id > highest_vmid);

constexpr bool is_machine(unsigned vmid) noexcept {
    return vmid >= lowest_machine_id;
}

/// One number a name, whatever the order; where two names would get the same, the one that sorts
/// later takes the next free one.
std::map<std::string, unsigned> machine_ids(std::vector<std::string> names);

/// 1234567890 of "1234567890.json".
std::optional<unsigned> machine_id_of_file(std::string_view name);

/// "VM 1234567890" becomes "VM windows", wherever a sentence names one of these machines.
std::string with_machine_names(std::string_view text, const std::map<unsigned, std::string>& names);

} // namespace longcord
