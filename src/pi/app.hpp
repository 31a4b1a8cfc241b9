// SPDX-License-Identifier: MIT
// The whole of longcord-pi on one screen: its parts, in the order in which they are built. (Named
// PiApp because a node may be a Pi too, and both live in one namespace.)
#pragma once

#include "control/server.hpp"
#include "pi/arbiter.hpp"
#include "pi/exporter.hpp"
#include "pi/joiner.hpp"
#include "pi/links.hpp"
#include "pi/report.hpp"
#include "pi/serial_desk.hpp"
#include "pi/usbip_server.hpp"

#include <boost/asio/signal_set.hpp>

namespace longcord {

class PiApp {
  public:
    PiApp(asio::io_context& loop, Roots roots, PiConfig config, std::filesystem::path config_file);

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
    std::vector<WireDevice> importable() const;
    Task<Result<nlohmann::json>> set_mode(nlohmann::json args);
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
    Arbiter arbiter_;
    UsbipServer server_;
    SerialDesk serial_;
    asio::signal_set signals_;
};

} // namespace longcord
