// SPDX-License-Identifier: MIT
// Logging. Where stderr is the journal: entries with fields (base/journal_socket.hpp), or lines
// with its <n> priority prefix where it does not take them; else plain lines with a time. Lines
// name their subject first: "VM 100: ...", "workbench/1-1.2: ...", "Pi workbench: ...".
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace longcord {

/// "LONGCORD_VM", "100". Only the journal keeps them.
using LogFields = std::vector<std::pair<std::string_view, std::string>>;

/// `level`: trace, debug, info, warn, error. Called once, at start.
void start_logging(std::string_view level);

/// One line, of level info or warn, with what it is about as fields.
void log_about(const LogFields& fields, bool warn, std::string_view line);

/// From now on. `level` as above.
void set_log_level(std::string_view level);
std::string log_level();

} // namespace longcord
