// SPDX-License-Identifier: MIT
// The Pi's port: nodes come with a ticket and get a sealed stream, plain USB/IP clients are served
// where pi.yaml allows their address, and everybody else finds a closed connection. What is read is
// read to the byte, since what follows is the kernel's.
#pragma once

#include "base/rate_limit.hpp"
#include "base/worker_pool.hpp"
#include "config/pi_config.hpp"
#include "pi/arbiter.hpp"
#include "pi/strangers.hpp"
#include "seal/stream_sealer.hpp"
#include "serial/serial_client.hpp"
#include "usbip/serve.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

namespace longcord {

struct UsbipServerStatus {
    std::uint16_t port = 0;
    bool listening = false;
    std::string problem; ///< why it does not listen
    std::size_t strangers = 0;
    std::uint64_t turned_away =
        0; ///< strangers above the limit, silent ones, and those with nothing to say
};

class UsbipServer {
  public:
    /// For each of the two steps: to show a ticket or a request, and then to ask for the device.
    static constexpr milliseconds patience{2'000};
    static constexpr milliseconds first_retry{1'000}; ///< of a port that is taken; doubles
    static constexpr milliseconds last_retry{30'000};

    using List = std::function<std::vector<WireDevice>()>; ///< what a plain client may import now

    UsbipServer(
        asio::io_context& loop, WorkerPool& pool, Roots roots, Arbiter& arbiter, PiJournal& journal,
        List list);

    /// Where sealed streams of serial ports go.
    using OnSerial = std::function<void(const std::string& port, SerialCaller)>;
    void on_serial(OnSerial join) { join_ = std::move(join); }

    /// Whether a link goes to that address.
    using IsNode = std::function<bool(const std::string& address)>;
    void know_nodes(IsNode is_node) { is_node_ = std::move(is_node); }

    /// Ends once a device that was announced while it was being bound is bound, or after `at_most`.
    using UntilBound = std::function<Task<>(std::string busid, milliseconds at_most)>;
    void wait_for_binds(UntilBound until_bound) { until_bound_ = std::move(until_bound); }

    void configure(const PiConfig& config);
    /// Ends only with the loop.
    Task<> run();
    UsbipServerStatus status() const;

  private:
    struct Guest;
    using GuestPtr = std::shared_ptr<Guest>;

    Result<> listen();
    Task<> wait_for_port(Error why, milliseconds pause);
    Task<> accept_all();
    Task<> meet(GuestPtr guest);
    Task<> serve_sealed(GuestPtr guest, std::string begun);
    void serve_serial(GuestPtr guest, Admission admission);
    Task<> serve_plain(GuestPtr guest, std::string begun);
    Task<> give(GuestPtr guest, Admission admission, std::string engine, UniqueFd socket);
    bool is_allowed(const std::string& address) const;
    void turn_away(const Guest& guest, std::string_view why);
    void refuse_ticket(const Guest& guest, std::string_view why);

    asio::io_context& loop_;
    WorkerPool& pool_;
    Roots roots_;
    Arbiter& arbiter_;
    PiJournal& journal_;
    List list_;
    UntilBound until_bound_;
    IsNode is_node_ = [](const std::string&) { return false; };
    OnSerial join_ = [](const std::string&, SerialCaller) {};
    std::uint16_t port_ = 0;
    std::vector<Network> allow_;
    StreamSealer sealer_;
    asio::ip::tcp::acceptor listener_;
    asio::steady_timer retry_;
    std::string problem_;
    /// Shared with the guests, who leave at the end of the loop, when this is gone.
    std::shared_ptr<Strangers> strangers_ = std::make_shared<Strangers>();
    std::uint64_t turned_away_ = 0;
    RateLimit ticket_log_{1, 10};
};

} // namespace longcord
