// SPDX-License-Identifier: MIT
// Logging: stderr with the journal's <n> priority prefix under systemd, plain with a time
// otherwise. Lines name their subject first: "VM 100: ...", "workbench/1-1.2: ...", "Pi workbench:
// ...".
#pragma once

#include <string_view>

namespace longcord {

/// `level`: trace, debug, info, warn, error. Called once, at start.
void start_logging(std::string_view level);

} // namespace longcord
