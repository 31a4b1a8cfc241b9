// SPDX-License-Identifier: MIT
// The verbs: each adds itself to the command line, does its work when it is chosen, and leaves its
// exit code.
#pragma once

#include "cli/exit_code.hpp"
#include "cli/service.hpp"

#include <memory>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

namespace longcord {

void add_status(CLI::App& app, ExitCode& exit);
void add_devices(CLI::App& app, ExitCode& exit);
void add_explain(CLI::App& app, ExitCode& exit);
void add_portal_code(CLI::App& app, ExitCode& exit);
void add_test(CLI::App& app, ExitCode& exit);
void add_doctor(CLI::App& app, ExitCode& exit);
void add_mode(CLI::App& app, ExitCode& exit);
void add_events(CLI::App& app, ExitCode& exit);
void add_pair(CLI::App& app, ExitCode& exit);
void add_pis(CLI::App& app, ExitCode& exit);
void add_unpair(CLI::App& app, ExitCode& exit);
void add_join(CLI::App& app, ExitCode& exit);
void add_leave(CLI::App& app, ExitCode& exit);
void add_rescan(CLI::App& app, ExitCode& exit);
void add_rules(CLI::App& app, ExitCode& exit);
void add_rules_edit(CLI::App& rules, ExitCode& exit);
void add_rules_adopt(CLI::App& rules, ExitCode& exit);
void add_vm(CLI::App& app, ExitCode& exit);
void add_vm_quiesce(CLI::App& vm, ExitCode& exit);
void add_by_hand(CLI::App& app, ExitCode& exit);
void add_learn(CLI::App& app, ExitCode& exit);
void add_log_level(CLI::App& app, ExitCode& exit);
void add_metrics(CLI::App& app, ExitCode& exit);
void add_serial(CLI::App& app, ExitCode& exit);
void add_serial_allow(CLI::App& serial, ExitCode& exit);

/// --json, and --on where both services know the verb.
inline void add_common(CLI::App& verb, Common& common, bool both) {
    verb.group("Verbs");
    verb.add_flag("--json", common.json, "Print JSON, for programs");
    if (both)
        verb.add_option("--on", common.on, "Which service to ask, where both run here")
            ->check(CLI::IsMember({"host", "pi"}))
            ->option_text("host|pi");
}

} // namespace longcord
