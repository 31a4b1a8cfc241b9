// SPDX-License-Identifier: MIT
// `longcord complete WORD...`: no verb that anybody types, and none that --help shows.
#pragma once

#include "cli/exit_code.hpp"

#include <string>
#include <vector>

#include <CLI/App.hpp>

namespace longcord {

/// `app` has all verbs already; `words` are those behind "complete".
ExitCode complete_for_shell(CLI::App& app, const std::vector<std::string>& words);

} // namespace longcord
