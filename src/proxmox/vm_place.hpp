// SPDX-License-Identifier: MIT
// Where the files of a VM lie in /etc/pve, for verbs that change them without the service.
#pragma once

#include "base/error.hpp"
#include "base/roots.hpp"

#include <filesystem>
#include <string>

namespace longcord {

struct VmPlace {
    std::string node;             ///< that has the VM
    bool here = false;            ///< it is this one
    std::filesystem::path config; ///< <VMID>.conf
    std::filesystem::path rules;  ///< <VMID>.usb.conf, where it lies, or where it is to be
};

/// ErrorKind::not_found: no such VM in the cluster; ::unavailable: no /etc/pve here now.
Result<VmPlace> find_vm(const Roots& roots, unsigned vmid);

/// Where a VM's intent (vm_intent.hpp) lies.
std::filesystem::path intent_file(const Roots& roots, unsigned vmid);

} // namespace longcord
