// SPDX-License-Identifier: MIT
#include "base/core_dumps.hpp"
#include "base/log.hpp"
#include "base/spawn.hpp"
#include "pi/app.hpp"
#include "pi/give_back.hpp"

#include <cstdio>
#include <exception>
#include <sysexits.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

int main(int argc, char** argv) {
    using namespace longcord;
    const Roots roots = Roots::from_environment();
    std::filesystem::path config_file = roots.config() / "pi.yaml";
    bool check_only = false;
    bool give_all_back = false;
    CLI::App arguments("The Pi side of Longcord: exports this machine's USB devices to virtual "
                       "machines.");
    arguments.add_option("--config", config_file, "configuration file")->capture_default_str();
    arguments.add_flag("--check-config", check_only, "read the configuration, report, and exit");
    arguments.add_flag(
        "--give-back", give_all_back,
        "give all exported devices back to this machine, and exit; the service must be stopped");
    arguments.set_version_flag("--version", LONGCORD_VERSION);
    try {
        arguments.parse(argc, argv);
    } catch (const CLI::ParseError& stop) {
        return arguments.exit(stop) == 0 ? EX_OK : 2; // --help and --version end here too
    }

    if (give_all_back)
        return give_back(roots);
    auto config = load_pi_config(config_file);
    if (!config) {
        std::fprintf(stderr, "%s\n", config.error().message.c_str());
        return EX_CONFIG; // the unit does not restart on this one
    }
    if (check_only) {
        std::printf("%s: good\n", config_file.c_str());
        return EX_OK;
    }
    forbid_core_dumps();
    try {
        start_logging(config->log_level);
        asio::io_context loop(1);
        PiApp app(loop, roots, std::move(*config), config_file);
        app.start();
        loop.run();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "<2>longcord-pi: %s\n", error.what());
        return EXIT_FAILURE;
    }
    return guarded_task_failed() ? EXIT_FAILURE : EXIT_SUCCESS;
}
