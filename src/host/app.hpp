// SPDX-License-Identifier: MIT
// The whole of longcord-host on one screen: its parts, in the order in which they are built.
#pragma once

#include "base/spare_memory.hpp"
#include "config/host_config.hpp"
#include "control/server.hpp"
#include "control/setup_code.hpp"
#include "discovery/announcer.hpp"
#include "host/executor.hpp"
#include "host/hand_verbs.hpp"
#include "host/kernel_source.hpp"
#include "host/link_source.hpp"
#include "host/machine_source.hpp"
#include "host/pairing_desk.hpp"
#include "host/plain_servers.hpp"
#include "host/push_desk.hpp"
#include "host/pve_source.hpp"
#include "host/report.hpp"
#include "host/serial_offers.hpp"

#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

namespace longcord {

class App {
  public:
    App(asio::io_context& loop, Roots roots, HostConfig config, std::filesystem::path config_file);

    /// Starts everything and tells systemd READY. Does not wait for a network, a Pi or a quorum.
    void start();

  private:
    Task<Result<nlohmann::json>> answer(std::string verb, nlohmann::json args, Peer peer);
    ReportInput report_input() const;
    Outcome with_names(Outcome outcome) const;
    void changed(const Place& place, const Outcome* outcome);
    void watch_signals();
    void reload();
    void apply_config();
    void announce();
    Task<> feed_watchdog();

    asio::io_context& loop_;
    Roots roots_;
    HostConfig config_;
    std::string config_problem_; ///< empty: the file is as it is in force
    std::filesystem::path config_file_;
    WorkerPool pool_;
    ControlServer control_;
    SpareMemory spare_;
    Journal journal_;
    Reconciler reconciler_;
    NodeWatch nodes_;
    VmSessions sessions_;
    OpenRequests opens_;
    StreamDialer dialer_;
    PlainServers servers_;
    SerialOffers offers_;
    Importer importer_;
    HostUseSource uses_;
    Executor executor_;
    KernelSource kernel_;
    IntentStore intents_;
    RulesBook rules_;
    VmRoster roster_;
    MachineSource machines_;
    PveSource pve_;
    LinkSource links_;
    KeyWatch keys_;
    PairingDesk pairing_;
    PushDesk pushes_;
    HandVerbs hands_;
    Announcer announcer_;
    SetupCode setup_code_;
    asio::signal_set signals_;
};

} // namespace longcord
