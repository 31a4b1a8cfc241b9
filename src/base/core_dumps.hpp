// SPDX-License-Identifier: MIT
// A core is a copy of the memory on a disk, where it stays, and is sent to others with a report.
// What holds the keys of streams writes none: they never reach a disk.
#pragma once

namespace longcord {

/// For the rest of this process' life, and for its children.
void forbid_core_dumps() noexcept;

} // namespace longcord
