// SPDX-License-Identifier: MIT
// Mode `serial` of this machine's devices: what is plugged becomes ports, what happens at them
// becomes events, and who may connect is known. Asked anew whenever something may have changed.
#pragma once

#include "config/pi_config.hpp"
#include "pi/journal.hpp"
#include "pi/serial_access.hpp"
#include "pi/serial_places.hpp"
#include "serial/port_numbers.hpp"
#include "serial/serial_ports.hpp"

#include <functional>
#include <map>

#include <boost/asio/steady_timer.hpp>
#include <nlohmann/json_fwd.hpp>

namespace longcord {

/// One port, for people and programs.
struct SerialPortReport {
    std::string place;         ///< "1-1.2"
    std::string stable_place;  ///< by controller
    std::string name;          ///< "1-1.2:1.1" where the device has more than one
    std::uint16_t port = 0;    ///< TCP
    std::uint16_t observe = 0; ///< TCP, of observers; 0: none
    std::string tty;           ///< "/dev/ttyUSB0"; empty: not plugged in
    SerialPorts::Status status;
};

class SerialDesk {
  public:
    /// A port that another program has is tried again.
    static constexpr milliseconds retry_after{5'000};

    struct Outside {
        /// Everything that is plugged; its terminals are for the desk to find.
        std::function<std::vector<SerialSeen>()> plugged;
        std::function<Modes()> modes;
        std::function<std::vector<std::string>()> nodes; ///< their addresses
        /// What the device at a port says, by the port's name.
        std::function<void(const std::string& name, std::string_view bytes)> said{};
    };

    SerialDesk(
        asio::io_context& loop, WorkerPool& pool, Roots roots, PiJournal& journal, Outside outside);

    void configure(SerialConfig config);
    void refresh();
    /// The nodes' addresses may have changed.
    void nodes_changed();
    /// The verb serial-allow; see SerialAccess::answer.
    Result<nlohmann::json> allow(const nlohmann::json& args);

    /// The key of the port that a node means by "4000", "1-1.2" or the place's stable name.
    /// not_found: there is none; the message says what to do.
    Result<std::string> find(const std::string& port) const;
    void join(const std::string& key, SerialCaller caller) { ports_.join(key, std::move(caller)); }
    void link_down(const std::string& link) { ports_.link_down(link); }
    /// The verb console: which port `name` is, so that its bytes can follow.
    Result<nlohmann::json> console(const nlohmann::json& args) const;

    std::vector<SerialPortReport> status() const;
    /// Sentences; those of single ports too.
    std::vector<std::string> problems() const;

  private:
    void refresh_soon();
    void keep_numbers(const PortNumbers& before);
    void tell_ports();
    void take(const std::string& key, const SerialEvent& event);
    void refused(const std::string& key, const SerialEvent& event);
    std::string place_of(const std::string& key) const;

    asio::io_context& loop_;
    Roots roots_;
    PiJournal& journal_;
    Outside outside_;
    SerialConfig config_;
    SerialAccess access_;
    SerialPlaces places_;
    PortNumbers numbers_;
    std::string numbers_problem_;                   ///< the file is broken, or cannot be written
    bool numbers_broken_ = false;                   ///< it is not written over
    std::map<std::string, SerialChannel> channels_; ///< by key
    struct Told {
        std::string name;
        std::string message;
    };
    std::map<std::string, Told> told_; ///< of each port, the latest event
    RateLimit busy_log_{1, 10};
    SerialPorts ports_;
    asio::steady_timer retry_;
    bool refreshing_ = false;
};

} // namespace longcord
