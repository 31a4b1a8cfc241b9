// SPDX-License-Identifier: MIT
// What goes to the terminal, and where: results to stdout, complaints to stderr. Colour only on a
// terminal and not with NO_COLOR (no-color.org) or TERM=dumb.
#pragma once

#include "cli/exit_code.hpp"
#include "cli/table.hpp"

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace longcord {

/// Of stdout.
Look look_of_terminal();

/// To stdout, at once: a reader of `events --follow` in a pipe waits for it.
void print(std::string_view text);

/// ASCII only, so that no byte of it can be a terminal's command. `indent` < 0: one line.
void print_json(const nlohmann::json& value, int indent = 2);

/// "longcord: ..." to stderr; with --json also {"error":{...}} to stdout. Returns its exit code.
ExitCode complain(const Failure& failure, bool json);

} // namespace longcord
