// SPDX-License-Identifier: MIT
#include "base/core_dumps.hpp"
#include "base/log.hpp"
#include "base/spawn.hpp"
#include "host/app.hpp"
#include "host/give_back.hpp"

#include <cstdio>
#include <exception>
#include <sysexits.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

int main(int argc, char** argv) {
    using namespace longcord;
    const Roots roots = Roots::from_environment();
    std::filesystem::path config_file = roots.config() / "host.yaml";
    bool check_only = false;
    bool give_all_back = false;
    CLI::App arguments("The host side of Longcord: plugs devices of Pis and of this host into "
                       "virtual machines.");
    arguments.add_option("--config", config_file, "configuration file")->capture_default_str();
    arguments.add_flag("--check-config", check_only, "read the configuration, report, and exit");
    arguments.add_flag(
        "--give-back", give_all_back,
        "take all devices out of VMs, detach all imports, leave vhci as the kernel had it, and "
        "exit; the service must be stopped");
    arguments.set_version_flag("--version", LONGCORD_VERSION);
    try {
        arguments.parse(argc, argv);
    } catch (const CLI::ParseError& stop) {
        return arguments.exit(stop) == 0 ? EX_OK : 2; // --help and --version end here too
    }

    if (give_all_back)
        return give_back(roots, config_file);
    auto config = load_host_config(config_file);
    if (!config) {
        std::fprintf(stderr, "%s\n", config.error().message.c_str());
        return EX_CONFIG; // the unit does not restart on this one
    }
    if (check_only) {
        for (const auto& note : config->notes)
            std::fprintf(stderr, "%s\n", note.c_str());
        std::printf("%s: good\n", config_file.c_str());
        return EX_OK;
    }
    forbid_core_dumps();
    try {
        start_logging(config->log_level);
        asio::io_context loop(1);
        App app(loop, roots, std::move(*config), config_file);
        app.start();
        loop.run();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "<2>longcord-host: %s\n", error.what());
        return EXIT_FAILURE;
    }
    return guarded_task_failed() ? EXIT_FAILURE : EXIT_SUCCESS;
}
