// SPDX-License-Identifier: MIT
#include "base/log.hpp"
#include "base/roots.hpp"
#include "base/spawn.hpp"
#include "portal/api.hpp"
#include "portal/server.hpp"

#include <array>
#include <climits>
#include <cstdio>
#include <exception>
#include <sysexits.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <boost/asio/signal_set.hpp>
#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>

#include <unistd.h>

using namespace longcord;

namespace {

struct Settings {
    Roots roots = Roots::from_environment();
    std::filesystem::path config_file = roots.config() / "portal.yaml";
    std::filesystem::path web = roots.prefix / "usr/share/longcord/portal";
    std::string role; ///< empty: as the configuration says
    bool check_only = false;
};

std::vector<std::string> names_of_this_machine(const PortalConfig& config) {
    auto names = config.names;
    std::array<char, HOST_NAME_MAX + 1> own{};
    if (::gethostname(own.data(), own.size() - 1) == 0)
        names.emplace_back(own.data());
    return names;
}

int serve(const Settings& settings, const PortalConfig& config) {
    const bool on_node = config.role == PortalConfig::Role::host;
    auto web = WebFiles::read(settings.web);
    if (!web) {
        std::fprintf(stderr, "<2>longcord-portal: %s\n", web.error().message.c_str());
        return EXIT_FAILURE;
    }
    asio::io_context loop(1);
    WorkerPool pool(loop);
    Live live(loop, settings.roots.run() / (on_node ? "host.sock" : "pi.sock"));
    const auto password = settings.roots.prefix / "var/lib/longcord-portal/password";
    OwnNames names(names_of_this_machine(config));
    PortalApi api(pool, password, std::move(*web), live, std::move(names), on_node);
    PortalServer server(
        loop, [&api](PortalRequest request) { return api.answer(std::move(request)); });
    server.listen(config);
    spawn_guarded(loop, "control socket", live.run());
    spawn_guarded(loop, "status", live.watch());
    server.run();
    asio::signal_set signals(loop, SIGTERM, SIGINT);
    signals.async_wait([&loop](const boost::system::error_code&, int) {
        ::sd_notify(0, "STOPPING=1");
        loop.stop();
    });
    ::sd_notify(0, "READY=1");
    spdlog::info("longcord-portal {}", LONGCORD_VERSION);
    loop.run();
    return guarded_task_failed() ? EXIT_FAILURE : EXIT_SUCCESS;
}

} // namespace

int main(int argc, char** argv) {
    Settings settings;
    CLI::App arguments("The web portal of Longcord: a browser sees and sets up what this machine's "
                       "longcord-pi does.");
    arguments.add_option("--config", settings.config_file, "configuration file")
        ->capture_default_str();
    arguments.add_option("--web", settings.web, "folder with the page's files")
        ->capture_default_str();
    arguments
        .add_option(
            "--role", settings.role,
            "pi, or host: a node's portal, which only shows; in place of the configuration's")
        ->check(CLI::IsMember({"pi", "host"}));
    arguments.add_flag(
        "--check-config", settings.check_only, "read the configuration, report, and exit");
    arguments.set_version_flag("--version", LONGCORD_VERSION);
    try {
        arguments.parse(argc, argv);
    } catch (const CLI::ParseError& stop) {
        return arguments.exit(stop) == 0 ? EX_OK : 2; // --help and --version end here too
    }
    auto config = load_portal_config(settings.config_file);
    if (!config) {
        std::fprintf(stderr, "%s\n", config.error().message.c_str());
        return EX_CONFIG; // the unit does not restart on this one
    }
    if (!settings.role.empty())
        config->role = settings.role == "host" ? PortalConfig::Role::host : PortalConfig::Role::pi;
    if (const auto good = config->check_role(); !good) {
        std::fprintf(
            stderr, "%s: %s\n", settings.config_file.c_str(), good.error().message.c_str());
        return EX_CONFIG;
    }
    if (settings.check_only) {
        std::printf("%s: good\n", settings.config_file.c_str());
        return EX_OK;
    }
    try {
        start_logging(config->log_level);
        return serve(settings, *config);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "<2>longcord-portal: %s\n", error.what());
        return EXIT_FAILURE;
    }
}
