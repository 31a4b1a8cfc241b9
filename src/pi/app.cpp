// SPDX-License-Identifier: MIT
#include "pi/app.hpp"

#include "base/spawn.hpp"
#include "pi/metrics.hpp"

#include <csignal>

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>

#include <unistd.h>

namespace longcord {

static std::string machine_name(const PiConfig& config) {
    if (!config.name.empty())
        return config.name;
    char name[256] = {};
    ::gethostname(name, sizeof name - 1);
    return name;
}

PiApp::PiApp(
    asio::io_context& loop, Roots roots, PiConfig config, std::filesystem::path config_file)
    : loop_(loop), roots_(std::move(roots)), config_(std::move(config)),
      config_file_(std::move(config_file)), pool_(loop),
      control_(
          loop, roots_.run() / "pi.sock",
          [this](std::string verb, nlohmann::json args, Peer peer) {
              return answer(std::move(verb), std::move(args), peer);
          }),
      journal_([this](const Event& event) { control_.publish(to_json(event)); }),
      exporter_(loop, pool_, roots_, config_.exports, exporter_handler()),
      links_(
          loop, roots_, [this] { return exporter_.announced(); }, journal_),
      signals_(loop, SIGTERM, SIGINT, SIGHUP) {}

Exporter::Handler PiApp::exporter_handler() {
    Exporter::Handler handler;
    handler.announce = [this](const Device& device) {
        journal_.device(device.place.busid(), "announced", device.label() + " is there for VMs");
        links_.added(device);
    };
    handler.withdraw = [this](const std::string& busid) {
        journal_.device(busid, "gone", "is there for VMs no more");
        links_.removed(busid);
    };
    handler.done = [this](
                       const Device& device, std::string_view what, const Result<>& result,
                       milliseconds took) { journal_.operation_ended(device, what, result, took); };
    return handler;
}

void PiApp::start() {
    spawn_guarded(loop_, "control socket", control_.run());
    spawn_guarded(loop_, "exporter", exporter_.run());
    links_.configure(config_);
    watch_signals();
    ::sd_notify(0, "READY=1");
    spdlog::info("longcord-pi {} on {}", LONGCORD_VERSION, machine_name(config_));
}

/// A stop leaves every device bound: the streams are the kernel's, and the next start adopts them.
void PiApp::watch_signals() {
    signals_.async_wait([this](const boost::system::error_code& error, int signal) {
        if (error)
            return;
        if (signal != SIGHUP) {
            ::sd_notify(0, "STOPPING=1");
            spdlog::info("stopping; exported devices stay exported");
            loop_.stop();
            return;
        }
        reload();
        watch_signals();
    });
}

void PiApp::reload() {
    auto config = load_pi_config(config_file_);
    if (!config) {
        spdlog::error("{}; the configuration from before stays in force", config.error().message);
        return;
    }
    config_ = std::move(*config);
    spdlog::set_level(spdlog::level::from_str(config_.log_level));
    exporter_.configure(config_.exports);
    links_.configure(config_);
    spdlog::info("{} read anew", config_file_.string());
}

PiReportInput PiApp::report_input() const {
    return {
        machine_name(config_),
        exporter_.state(),
        exporter_.judgements(),
        links_.status(),
        [this](const std::string& busid) { return links_.state_of(busid); },
        UsbipHost(roots_).present()};
}

Task<Result<nlohmann::json>> PiApp::answer(std::string verb, nlohmann::json args, Peer peer) {
    (void)peer; // 0660 root:root, and nothing here changes anything
    if (verb == "status")
        co_return report_pi_status(report_input());
    if (verb == "devices")
        co_return report_pi_devices(report_input());
    if (verb == "metrics")
        co_return nlohmann::json{{"text", pi_metrics(report_input())}};
    if (verb == "events")
        co_return journal_.log().to_json(args);
    co_return fail(ErrorKind::invalid, "longcord-pi has no verb \"{}\"", verb);
}

} // namespace longcord
