// SPDX-License-Identifier: MIT
#include "host/app.hpp"

#include "base/log.hpp"
#include "base/spawn.hpp"
#include "base/sshd_settings.hpp"
#include "base/text.hpp"
#include "control/log_level.hpp"
#include "control/permission.hpp"
#include "host/metrics.hpp"
#include "plan/machine_id.hpp"
#include "plan/situation.hpp"

#include <csignal>

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>

#include <unistd.h>

namespace longcord {

namespace {

std::string node_name(const HostConfig& config) {
    if (!config.node.empty())
        return config.node;
    char name[256] = {};
    ::gethostname(name, sizeof name - 1);
    const std::string full(name);
    return full.substr(0, full.find('.')); // Proxmox names a node by the first label
}

std::optional<unsigned> vmid_argument(const nlohmann::json& args) {
    const auto vmid = args.find("vmid");
    if (vmid == args.end() || !vmid->is_number_unsigned())
        return std::nullopt;
    return vmid->get<unsigned>();
}

/// What host.yaml leaves to this machine. sshd is asked once: a reload does not wait for it.
HostConfig settled(HostConfig config) {
    if (config.ssh_port == 0) {
        static const std::uint16_t port = sshd_port();
        config.ssh_port = port;
    }
    return config;
}

} // namespace

App::App(asio::io_context& loop, Roots roots, HostConfig config, std::filesystem::path config_file)
    : loop_(loop), roots_(std::move(roots)), config_(settled(std::move(config))),
      config_file_(std::move(config_file)), pool_(loop),
      control_(
          loop, roots_.run() / "host.sock",
          [this](std::string verb, nlohmann::json args, Peer peer) {
              return answer(std::move(verb), std::move(args), peer);
          }),
      spare_(loop), journal_(
                        [this](const Event& event) { control_.publish(to_json(event)); },
                        [this](std::string text) {
                            return with_machine_names(text, reconciler_.world().machines);
                        }),
      reconciler_(
          loop, {[this](const Action& action) { executor_.start(action); },
                 [this](const Place& place, const Outcome* outcome) { changed(place, outcome); },
                 [this] {
                     intents_.save_changes();
                     hands_.something_changed();
                     spare_.soon();
                 }}),
      nodes_(loop), sessions_(loop, roots_, pool_, reconciler_, journal_, nodes_), opens_(loop),
      dialer_(pool_, opens_, config_), servers_(loop, dialer_, reconciler_, journal_),
      offers_(loop, reconciler_.world(), journal_, dialer_),
      importer_(loop, roots_, pool_, reconciler_, opens_, dialer_),
      uses_(loop, roots_, pool_, reconciler_, nodes_),
      executor_(loop, importer_, sessions_, uses_, reconciler_, journal_),
      kernel_(
          loop, roots_, pool_, reconciler_, importer_, journal_,
          config_.foreign_imports == ForeignImports::allow,
          [this](const Place& place) { servers_.stream_ended(place); }),
      intents_(loop, roots_, pool_, reconciler_, journal_),
      rules_(loop, roots_, pool_, reconciler_, journal_), roster_(reconciler_, journal_),
      machines_(loop, config_file_, reconciler_, journal_, rules_, roster_),
      pve_(loop, roots_, pool_, reconciler_, journal_, nodes_, intents_, rules_, roster_),
      links_(loop, roots_, config_, node_name(config_), reconciler_, journal_, opens_),
      keys_(loop, roots_, pool_, config_, node_name(config_), links_, journal_),
      pairing_(roots_, pool_, config_, node_name(config_), links_, keys_, journal_),
      pushes_(loop, roots_, pool_, config_, servers_, reconciler_, journal_),
      hands_(loop, reconciler_, journal_),
      announcer_(
          loop, pool_,
          [this](const std::string& problem) {
              if (!problem.empty())
                  return journal_.problem(problem);
              spdlog::info("discovery: this node announces itself");
          }),
      signals_(loop, SIGTERM, SIGINT, SIGHUP) {
    reconciler_.world().node = node_name(config_);
    importer_.on_detached([this](const Place& place) { servers_.stream_ended(place); });
    links_.on_push([this](Preface preface) { return pushes_.push(std::move(preface)); });
    links_.on_link_down([this](const std::string& pi) { offers_.link_down(pi); });
    keys_.on_paired([this](const PairedKeys& paired, TimePoint began) {
        for (const auto& pi : pushes_.keep_only(paired, began))
            links_.expel(pi, "it is not paired any more");
    });
    links_.on_expelled([this](const std::string& pi) { pushes_.forget(pi); });
    reconciler_.world().hot_add = config_.controllers.hot_add;
    reconciler_.world().dev = roots_.dev().string();
}

void App::start() {
    for (const auto& note : config_.notes)
        journal_.problem(note);
    spawn_guarded(loop_, "control socket", control_.run());
    spawn_guarded(loop_, "link socket", links_.run());
    spawn_guarded(loop_, "keys of Pis", keys_.run());
    spawn_guarded(loop_, "kernel source", kernel_.run());
    spawn_guarded(loop_, "VM registry", pve_.watch_vms());
    spawn_guarded(loop_, "rules and configs", pve_.watch_config());
    spawn_guarded(loop_, "hookscript notes", pve_.watch_hooks());
    spawn_guarded(loop_, "device nodes", pve_.watch_nodes());
    spawn_guarded(loop_, "uses of this host", uses_.run());
    servers_.configure(config_.usbip_servers);
    offers_.configure(config_.serial_offers);
    spawn_guarded(loop_, "what was pushed", pushes_.resume());
    machines_.configure(config_.virtual_machines);
    spawn_guarded(loop_, "machines of host.yaml", machines_.watch());
    spawn_guarded(loop_, "discovery", announcer_.run());
    announce();
    spawn_guarded(loop_, "watchdog", feed_watchdog());
    watch_signals();
    ::sd_notify(0, "READY=1");
    spdlog::info("longcord-host {} on node {}", LONGCORD_VERSION, reconciler_.world().node);
}

/// A stop leaves every device plugged: the streams are the kernel's, and the next start finds them.
void App::watch_signals() {
    signals_.async_wait([this](boost::system::error_code error, int signal) {
        if (error)
            return;
        if (signal != SIGHUP) {
            ::sd_notify(0, "STOPPING=1");
            spdlog::info("stopping; devices stay plugged");
            loop_.stop();
            return;
        }
        reload();
        watch_signals();
    });
}

void App::announce() {
    Announcer::Wish wish{node_name(config_), config_.ssh_port, {}};
    if (config_.discovery)
        wish.interfaces = config_.discovery_interfaces;
    announcer_.want(std::move(wish));
}

/// What of host.yaml counts at once; a link that is up keeps the address it was given.
void App::apply_config() {
    World& world = reconciler_.world();
    world.node = node_name(config_);
    world.hot_add = config_.controllers.hot_add;
    links_.configure(world.node);
    kernel_.admit_foreign(config_.foreign_imports == ForeignImports::allow);
    announce();
}

void App::reload() {
    auto config = load_host_config(config_file_);
    if (!config) {
        config_problem_ = config.error().message + "; the configuration from before stays in force";
        journal_.problem(config_problem_);
        return;
    }
    config_problem_.clear();
    config_ = settled(std::move(*config));
    set_log_level(config_.log_level);
    servers_.configure(config_.usbip_servers);
    offers_.configure(config_.serial_offers);
    machines_.configure(config_.virtual_machines);
    apply_config();
    for (const auto& note : config_.notes)
        journal_.problem(note);
    spdlog::info("{} read anew", config_file_.string());
    reconciler_.wake();
}

Task<> App::feed_watchdog() {
    std::uint64_t microseconds = 0;
    if (::sd_watchdog_enabled(0, &microseconds) <= 0)
        co_return;
    const milliseconds interval(microseconds / 1000 / 2);
    for (;;) {
        ::sd_notify(0, "WATCHDOG=1");
        co_await sleep_for(interval);
    }
}

/// A Pi knows no machine by its number.
Outcome App::with_names(Outcome outcome) const {
    outcome.why = with_machine_names(outcome.why, reconciler_.world().machines);
    return outcome;
}

void App::changed(const Place& place, const Outcome* outcome) {
    journal_.outcome_changed(place, outcome);
    pushes_.changed(place);
    if (!outcome)
        return links_.changed(place, nullptr);
    const Outcome named = with_names(*outcome);
    links_.changed(place, &named);
}

ReportInput App::report_input() const {
    ReportInput input{reconciler_.world(),
                      reconciler_.outcomes(),
                      rules_.states(),
                      pve_.seen(),
                      {},
                      config_problem_,
                      {}};
    input.serial_offers = offers_.status();
    input.unwritten = intents_.unwritten();
    for (const auto& [name, pi] : reconciler_.world().pis)
        if (const auto rtt = links_.round_trip(name))
            input.round_trips[name] = *rtt;
    input.software = links_.software();
    return input;
}

Task<Result<nlohmann::json>> App::answer(std::string verb, nlohmann::json args, Peer peer) {
    static const std::vector<std::string_view> for_portal{
        "status", "devices", "explain", "events", "portal-code-use"};
    if (auto allowed = check_permission(peer, verb, for_portal); !allowed)
        co_return allowed.error();
    spare_.soon();
    if (PairingDesk::knows(verb)) {
        auto result = co_await pairing_.answer(std::move(verb), std::move(args));
        co_return result;
    }
    if (HandVerbs::knows(verb)) {
        if (peer.uid != 0)
            co_return fail(ErrorKind::refused, "{} is for root", verb);
        auto result = co_await hands_.answer(std::move(verb), std::move(args), peer);
        co_return result;
    }
    if (verb == "metrics")
        co_return nlohmann::json{
            {"text",
             host_metrics(reconciler_.world(), reconciler_.outcomes(), journal_.counters())}};
    if (verb == "log-level")
        co_return answer_log_level(args, config_.log_level);
    if (verb == "status")
        co_return report_status(report_input(), vmid_argument(args));
    if (verb == "devices")
        co_return report_devices(report_input());
    if (is_setup_code_verb(verb)) {
        std::string said;
        auto reply = answer_setup_code(setup_code_, verb, args, said);
        spdlog::info("{}", said);
        co_return reply;
    }
    if (verb == "events")
        co_return journal_.log().to_json(args);
    if (verb == "explain") {
        const auto text = args.find("place");
        if (text == args.end() || !text->is_string())
            co_return fail(ErrorKind::invalid, "explain needs a place");
        const auto place = find_place(reconciler_.world(), text->get<std::string>());
        if (!place)
            co_return place.error();
        co_return report_explain(report_input(), *place);
    }
    if (verb == "rescan") {
        const auto answers = co_await servers_.rescan();
        co_return report_rescan(answers);
    }
    co_return fail(ErrorKind::invalid, "longcord-host has no verb \"{}\"", verb);
}

} // namespace longcord
