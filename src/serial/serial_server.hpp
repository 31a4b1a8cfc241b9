// SPDX-License-Identifier: MIT
// One serial device as a TCP port: RFC 2217 for those who speak it, plain bytes for everybody else.
// The first client owns the port and is the only one that writes; who comes later is told who that
// is. Observers read along on a port of their own. A device that goes for a short time and comes
// back keeps its client, who sees silence.
#pragma once

#include "serial/client_talk.hpp"
#include "serial/serial_client.hpp"
#include "serial/serial_device.hpp"
#include "serial/serial_log.hpp"

#include <chrono>
#include <set>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

namespace longcord {

constexpr std::size_t max_serial_observers = 8;
/// How long a client is kept while the device is away.
constexpr milliseconds default_serial_hold{10'000};

struct SerialPortOptions {
    std::string name; ///< for messages: "/dev/ttyUSB0", "1-1.2"
    /// Opened again under this name when it is back; empty: plugged() says where it is.
    std::filesystem::path device;
    std::vector<asio::ip::tcp::endpoint> listen;  ///< port 0: any
    std::vector<asio::ip::tcp::endpoint> observe; ///< for observers; empty: none
    ModeChoice mode;
    LineSettings line; ///< while no client has set anything else
    milliseconds hold = default_serial_hold;
    std::filesystem::path log; ///< empty: none

    bool operator==(const SerialPortOptions&) const = default;
};

struct SerialEvent {
    std::string_view kind; ///< "serial-owner", "serial-refused", ...
    std::string address;   ///< of the client; empty: of none
    std::string message;
};

struct SerialStatus {
    bool present = false; ///< the device is there
    PortMode mode = PortMode::passthrough;
    LineSettings line;
    std::string owner; ///< "10.0.0.5:53211"; empty: nobody
    std::size_t observers = 0;
};

class SerialServer : public std::enable_shared_from_this<SerialServer> {
  public:
    struct Handler {
        std::function<void(SerialEvent)> event;
        std::function<bool(const asio::ip::address&)> allowed;
        /// What the device says; may be empty.
        std::function<void(std::string_view)> said{};
    };

    SerialServer(
        asio::io_context& loop, WorkerPool& pool, Roots roots, SerialPortOptions options,
        Handler handler);

    /// Opens the device; run() does that too, and again and again.
    Task<Result<>> open();
    /// Binds all ports; connections are taken from run() on.
    Result<> listen();
    void run();
    /// One more client; the node it comes from has judged whether it may.
    void join(SerialCaller caller);
    /// Ends a client that came by it.
    void link_down(const std::string& link);
    /// Where the device is now; empty: it is not there.
    void plugged(const std::filesystem::path& device) { device_->plugged(device); }
    /// Ends everything. The device's lines stay as they are: see rest().
    void stop();
    /// Ends the owner and puts the lines to rest.
    Task<> rest();

    const SerialPortOptions& options() const noexcept { return options_; }
    /// With the ports that were chosen for 0.
    std::vector<asio::ip::tcp::endpoint> endpoints() const;
    std::vector<asio::ip::tcp::endpoint> observer_endpoints() const;
    SerialStatus status() const;

  private:
    using ClientPtr = std::shared_ptr<SerialClient>;
    using Self = std::shared_ptr<SerialServer>;
    struct Owner {
        ClientPtr client;
        ClientTalk talk;
        std::string since; ///< the time of day, for people
        bool over = false;
        std::string farewell; ///< said to the client at the end
    };
    using OwnerPtr = std::shared_ptr<Owner>;
    struct Observer {
        ClientPtr client;
        ClientTalk talk;
        std::size_t skipped = 0;
    };
    using ObserverPtr = std::shared_ptr<Observer>;
    using Acceptor = asio::ip::tcp::acceptor;

    Task<> greet(Self self, ClientPtr client);
    Task<> greet_observer(Self self, ClientPtr client);
    bool admit(const ClientPtr& client);
    void turn_away(const ClientPtr& client, const std::string& why);
    std::string refusal() const;
    Task<> say_goodbye(Self self, ClientPtr client, std::string text);

    Task<> serve(Self self, OwnerPtr owner);
    Task<> read_all(OwnerPtr owner);
    Task<> obey(OwnerPtr owner, Spoken spoken);
    Task<> watch(Self self, OwnerPtr owner);
    Task<> notify(OwnerPtr owner);
    void decide_soon(const OwnerPtr& owner);
    void end(const OwnerPtr& owner);

    void from_device(std::string_view bytes);
    void to_observer(Observer& observer, std::string_view bytes);
    void device_gone(const Error& why);
    void device_back();
    void event(std::string_view kind, const std::string& address, std::string message);

    asio::io_context& loop_;
    SerialPortOptions options_;
    Handler handler_;
    Roots roots_;
    std::shared_ptr<SerialDevice> device_;
    std::shared_ptr<SerialLog> log_;
    std::vector<Acceptor> acceptors_;
    std::vector<Acceptor> observer_acceptors_;
    OwnerPtr owner_;
    std::set<ObserverPtr> observers_;
    std::set<ClientPtr> leaving_; ///< are told why, and closed
    asio::steady_timer released_; ///< those wait who come while an owner leaves
    asio::steady_timer taken_;    ///< the owner's reader waits until the owner has taken answers
    asio::steady_timer hold_;
    std::string spare_;
    bool stopped_ = false;
};

} // namespace longcord
