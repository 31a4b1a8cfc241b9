// SPDX-License-Identifier: MIT
#include "pi/app.hpp"

#include "base/log.hpp"
#include "base/spawn.hpp"
#include "pi/export_steps.hpp"
#include "pi/mode_store.hpp"
#include "usbip/export.hpp"

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
      modes_(load_modes(roots_)),
      exporter_(
          loop, pool_, roots_, config_.exports, modes_ ? *modes_ : Modes(), exporter_handler()),
      links_(loop, roots_, journal_, links_handler()),
      joiner_(loop, roots_, pool_, config_, links_, journal_), test_(loop, pool_, links_, journal_),
      arbiter_(loop, pool_, roots_, journal_, arbiter_outside()),
      server_(loop, pool_, roots_, arbiter_, journal_, [this] { return importable(); }),
      serial_(loop, pool_, roots_, journal_, serial_outside()),
      signals_(loop, SIGTERM, SIGINT, SIGHUP), spare_(loop) {}

Links::Handler PiApp::links_handler() {
    Links::Handler handler;
    handler.exported = [this] {
        return exporter_.ready() ? std::optional(exporter_.announced()) : std::nullopt;
    };
    handler.open = [this](const std::string& link, const std::string& node, const Open& message) {
        arbiter_.open(link, node, message);
    };
    handler.close = [this](const std::string& link, const std::string& busid) {
        arbiter_.close(link, busid);
    };
    handler.open_serial =
        [this](const std::string& link, const std::string& node, const OpenSerial& message) {
            arbiter_.open_serial(link, node, message);
        };
    handler.down = [this](const std::string& link) {
        arbiter_.link_down(link);
        serial_.link_down(link);
    };
    handler.nodes = [this] {
        serial_.nodes_changed();
        spare_.soon();
    };
    return handler;
}

Arbiter::Outside PiApp::arbiter_outside() {
    Arbiter::Outside outside;
    outside.why_not = [this](const std::string& busid) { return why_not_opened(busid); };
    outside.serial_port = [this](const std::string& port) { return find_serial(port); };
    outside.tell = [this](const std::string& link, PiMessage message) {
        links_.tell(link, std::move(message));
    };
    outside.silent = [this](const std::string& link) { return links_.silent(link); };
    outside.dead_after = [this](const std::string& link) { return links_.dead_after(link); };
    outside.renew = [this](const std::string& busid) { exporter_.renew(busid); };
    return outside;
}

/// What nobody has judged yet counts as not plugged in.
SerialDesk::Outside PiApp::serial_outside() {
    SerialDesk::Outside outside;
    outside.plugged = [this] {
        std::vector<SerialSeen> seen;
        for (const auto& [busid, judgement] : exporter_.judgements())
            if (const auto at = exporter_.state().plugged.find(busid);
                at != exporter_.state().plugged.end())
                seen.push_back({at->second.local.device, judgement.mode == DeviceMode::serial, {}});
        return seen;
    };
    outside.modes = [this] { return modes_ ? *modes_ : Modes(); };
    outside.nodes = [this] { return links_.addresses(); };
    outside.said = [this](const std::string& name, std::string_view bytes) {
        control_.publish_bytes(name, bytes);
    };
    return outside;
}

std::optional<std::string> PiApp::why_not_opened(const std::string& busid) const {
    if (exporter_.state().announced.contains(busid)) {
        const auto server = server_.status();
        return server.listening ? std::nullopt : std::optional(server.problem);
    }
    if (!exporter_.state().plugged.contains(busid))
        return fmt::format("nothing is plugged at {}", busid);
    return fmt::format(
        "{} is not exported: {}", busid, why_it_is_where_it_is(report_input(), busid));
}

Result<std::string> PiApp::find_serial(const std::string& port) const {
    if (const auto server = server_.status(); !server.listening)
        return fail(ErrorKind::unavailable, "{}", server.problem);
    return serial_.find(port);
}

/// What nobody has: as usbipd, which leaves devices in use out of its list.
std::vector<WireDevice> PiApp::importable() const {
    std::vector<WireDevice> list;
    for (const auto& [busid, device] : exporter_.state().announced) {
        const auto status = UsbipHost(roots_).status(busid);
        const auto plugged = exporter_.state().plugged.find(busid);
        if (status && *status == status_available && !arbiter_.stream_of(busid) &&
            plugged != exporter_.state().plugged.end())
            list.push_back(describe(plugged->second.local));
    }
    return list;
}

Exporter::Handler PiApp::exporter_handler() {
    Exporter::Handler handler;
    handler.announce = [this](const Device& device) {
        journal_.device(device.place.busid(), "announced", device.label() + " is there for VMs");
        arbiter_.device_there(device.place.busid(), device.devnum);
        if (exporter_.ready())
            links_.added(device);
    };
    handler.withdraw = [this](const std::string& busid) {
        journal_.device(busid, "gone", "is there for VMs no more");
        arbiter_.device_gone(busid);
        if (exporter_.ready())
            links_.removed(busid);
    };
    handler.kept = [this](const Device& device, const std::string& why) {
        journal_.device(device.place.busid(), "kept", device.label() + " stays here: " + why);
    };
    handler.ready = [this] { links_.tell_devices(); };
    handler.judged = [this] { judged(); };
    handler.done = [this](
                       const Device& device, std::string_view what, const Result<>& result,
                       milliseconds took) {
        journal_.operation_ended(device, what, result, took);
        for (asio::steady_timer* timer : waiting_)
            timer->cancel();
    };
    return handler;
}

void PiApp::start() {
    spawn_guarded(loop_, "control socket", control_.run());
    spawn_guarded(loop_, "exporter", exporter_.run());
    spawn_guarded(loop_, "streams", arbiter_.run());
    server_.on_serial([this](const std::string& port, SerialCaller caller) {
        serial_.join(port, std::move(caller));
    });
    server_.know_nodes([this](const std::string& from) { return links_.leads_to(from); });
    server_.wait_for_binds([this](std::string busid, milliseconds at_most) {
        return exporter_.until_bound(std::move(busid), at_most);
    });
    server_.configure(config_);
    spawn_guarded(loop_, "USB/IP server", server_.run());
    links_.configure(config_);
    serial_.configure(config_.serial);
    if (!modes_)
        journal_.link("problem", modes_.error().message, true);
    joiner_.start();
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
    set_log_level(config_.log_level);
    exporter_.configure(config_.exports);
    server_.configure(config_);
    links_.configure(config_);
    serial_.configure(config_.serial);
    spdlog::info("{} read anew", config_file_.string());
}

PiReportInput PiApp::report_input() const {
    return {
        machine_name(config_),
        exporter_.state(),
        exporter_.judgements(),
        links_.status(),
        [this](const std::string& busid) { return links_.state_of(busid); },
        [this](const std::string& busid) { return arbiter_.stream_of(busid); },
        server_.status(),
        arbiter_.refused(),
        UsbipHost(roots_).present(),
        modes_ ? std::string() : modes_.error().message,
        serial_.status(),
        serial_.problems(),
        list_hubs(roots_),
        [this](const LocalDevice& local) { return never_leaves(local, config_.exports); },
        [this](const Device& device) { return modes_ && modes_->is_paused(device); }};
}

void PiApp::judged() {
    for (auto& told : comings_.look(exporter_.state()))
        journal_.device(told.busid, std::move(told.kind), std::move(told.message));
    serial_.refresh();
    spare_.soon();
    for (asio::steady_timer* timer : waiting_)
        timer->cancel();
}

} // namespace longcord
