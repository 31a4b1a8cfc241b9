// SPDX-License-Identifier: MIT
// Running another program and waiting for it: Proxmox' own `qm`, or what an admin wants done while
// a VM's devices are out.
#pragma once

#include "base/error.hpp"

#include <string>
#include <vector>

namespace longcord {

/// It has our terminal. Its exit status, 128 + N where signal N ended it. ErrorKind::not_found:
/// there is no such program.
Result<int> run_command(const std::vector<std::string>& words);

/// The same, with what it prints to stdout returned (at most 64 KiB) where it exits with 0, and an
/// error with its exit status where it does not.
Result<std::string> output_of(const std::vector<std::string>& words);

} // namespace longcord
