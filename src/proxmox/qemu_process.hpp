// SPDX-License-Identifier: MIT
// Whether a process is the QEMU of a VM. A pidfile alone says nothing: after a crash it lingers,
// and its number may belong to any other process by now.
#pragma once

#include "base/error.hpp"
#include "base/roots.hpp"
#include "base/unique_fd.hpp"

#include <filesystem>
#include <string_view>

namespace longcord {

/// `cmdline` is /proc/<pid>/cmdline (arguments end with a NUL each). True where it has
/// "-pidfile .../qemu-server/<VMID>.pid": PVE writes /var/run, a symlink to /run, and a test has
/// the directory below a root of its own.
bool is_qemu_of(std::string_view cmdline, unsigned vmid);

/// <root>/proc where a test has put one there, else the real /proc: there is one kernel only.
std::filesystem::path proc_of(const Roots& roots);

/// A pidfd: it becomes readable when the process exits, before any parent has waited for it. It
/// never comes to mean another process. Not_found: no such process.
Result<UniqueFd> open_process(int pid);
bool has_exited(const UniqueFd& process);

/// The pidfd of the VM's QEMU, if that is what runs under this pid now.
Result<UniqueFd> open_qemu(const Roots& roots, int pid, unsigned vmid);

} // namespace longcord
