// SPDX-License-Identifier: MIT
// The whole of longcord-pi on one screen: its parts, in the order in which they are built. (Named
// PiApp because a node may be a Pi too, and both live in one namespace.)
#pragma once

#include "base/spare_memory.hpp"
#include "control/server.hpp"
#include "control/setup_code.hpp"
#include "pi/arbiter.hpp"
#include "pi/comings.hpp"
#include "pi/exporter.hpp"
#include "pi/joiner.hpp"
#include "pi/links.hpp"
#include "pi/node_test.hpp"
#include "pi/report.hpp"
#include "pi/serial_desk.hpp"
#include "pi/usbip_server.hpp"

#include <list>

#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

namespace longcord {

class PiApp {
  public:
    PiApp(asio::io_context& loop, Roots roots, PiConfig config, std::filesystem::path config_file);

    /// How long a verb waits for devices to be as it wants them.
    static constexpr milliseconds patience{10'000};

    /// Starts everything and tells systemd READY. Does not wait for a network or a node.
    void start();

  private:
    Task<Result<nlohmann::json>> answer(std::string verb, nlohmann::json args, Peer peer);
    PiReportInput report_input() const;
    Exporter::Handler exporter_handler();
    Links::Handler links_handler();
    Arbiter::Outside arbiter_outside();
    SerialDesk::Outside serial_outside();
    std::optional<std::string> why_not_opened(const std::string& busid) const;
    Result<std::string> find_serial(const std::string& port) const;
    std::vector<WireDevice> importable() const;
    Task<Result<nlohmann::json>> set_mode(nlohmann::json args);
    Task<Result<nlohmann::json>> pause(bool pause, nlohmann::json args);
    Task<Result<nlohmann::json>> discovered();
    Task<> until_at_rest(std::vector<std::string> busids);
    Result<> set(Modes modes);
    void judged();
    void watch_signals();
    void reload();

    asio::io_context& loop_;
    Roots roots_;
    PiConfig config_;
    std::filesystem::path config_file_;
    WorkerPool pool_;
    ControlServer control_;
    PiJournal journal_;
    Result<Modes> modes_; ///< an error: modes.json is broken, and none is set
    Exporter exporter_;
    Links links_;
    Joiner joiner_;
    NodeTest test_;
    Comings comings_;
    SetupCode setup_code_;
    std::list<asio::steady_timer*> waiting_; ///< for a device to be as it is wanted
    Arbiter arbiter_;
    UsbipServer server_;
    SerialDesk serial_;
    asio::signal_set signals_;
    SpareMemory spare_; ///< after a look at this machine, a link that came, a request
};

} // namespace longcord
