// SPDX-License-Identifier: MIT
// longcord: the command line, on a node and on a Pi.
#include "base/text.hpp"
#include "cli/complete.hpp"
#include "cli/verbs.hpp"
#include "config/nearest.hpp"

#include <cstdio>
#include <exception>

#include <fmt/format.h>

using namespace longcord;

/// CLI11 says "A subcommand is required" also where one was misspelt.
static int usage(const CLI::App& app, const CLI::ParseError& error) {
    const CLI::App* deepest = &app; // that was understood
    std::string verb;
    for (auto chosen = app.get_subcommands(); !chosen.empty();
         chosen = deepest->get_subcommands()) {
        deepest = chosen.front();
        verb += " " + deepest->get_name();
    }
    const CLI::App& at = *deepest;
    const std::vector<std::string> words = at.remaining();
    std::string message = error.what();
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::RequiredError) &&
        at.get_require_subcommand_min() > 0) {
        std::vector<std::string> known;
        for (const CLI::App* each : at.get_subcommands(nullptr))
            known.push_back(each->get_name());
        message = fmt::format(
            "{} needs a verb: {}", verb.empty() ? "a command" : at.get_name(),
            fmt::join(known, ", "));
        if (!words.empty() && !words.front().starts_with('-')) {
            const auto near = nearest(words.front(), known);
            message = fmt::format(
                "there is no verb '{}'{}", printable(words.front()),
                near ? fmt::format("; did you mean '{}'?", *near) : "");
        }
    }
    const std::string text =
        fmt::format("longcord: {}\nlongcord{} --help tells what there is.\n", message, verb);
    std::fputs(text.c_str(), stderr);
    return static_cast<int>(ExitCode::usage);
}

static int run(int argc, char** argv) {
    ExitCode exit = ExitCode::done;
    CLI::App app(
        "A USB cord as long as your network: devices of Raspberry Pis and of this machine\n"
        "become devices of VMs.",
        "longcord");
    app.set_version_flag("--version", "longcord " LONGCORD_VERSION);
    app.require_subcommand(1);
    app.get_formatter()->column_width(28);
    app.get_formatter()->label("SUBCOMMAND", "VERB");
    app.get_formatter()->label("Positionals", "Arguments");
    app.get_formatter()->label("REQUIRED", "");
    app.footer(
        "Exit codes: 0 done, 1 failed, 2 usage, 3 service not running, 4 permission refused,\n"
        "5 partly done or degraded. `longcord VERB --help` tells more; see also longcord(1).");
    add_status(app, exit);
    add_devices(app, exit);
    add_explain(app, exit);
    add_mode(app, exit);
    add_events(app, exit);
    add_rules(app, exit);
    add_pair(app, exit);
    add_pis(app, exit);
    add_unpair(app, exit);
    add_join(app, exit);
    add_leave(app, exit);
    add_test(app, exit);
    add_portal_code(app, exit);
    add_rescan(app, exit);
    add_vm(app, exit);
    add_by_hand(app, exit);
    add_learn(app, exit);
    add_log_level(app, exit);
    add_metrics(app, exit);
    add_serial(app, exit);
    add_doctor(app, exit);
    if (argc > 1 && std::string_view(argv[1]) == "complete")
        return static_cast<int>(
            complete_for_shell(app, std::vector<std::string>(argv + 2, argv + argc)));
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& help) {
        app.exit(help);
    } catch (const CLI::ParseError& error) {
        return usage(app, error);
    }
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
        std::fputs("longcord: the output could not be written\n", stderr);
        return static_cast<int>(ExitCode::failed);
    }
    return static_cast<int>(exit);
}

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "longcord: %s\n", error.what());
        return static_cast<int>(ExitCode::failed);
    }
}
