// SPDX-License-Identifier: MIT
// Decides who gets which device: nodes ask over their links, plain clients at the port, and what
// was decided is kept in step with the kernel's streams. `leases` and `tickets` think; here their
// outcomes meet the links, the watch over the streams, and the record that the next start reads.
#pragma once

#include "base/roots.hpp"
#include "base/worker_pool.hpp"
#include "link/message.hpp"
#include "pi/journal.hpp"
#include "pi/leases.hpp"
#include "pi/stream_record.hpp"
#include "pi/stream_watch.hpp"
#include "pi/tickets.hpp"
#include "usbip/stream_options.hpp"

#include <functional>
#include <optional>
#include <set>
#include <string>

#include <boost/asio/steady_timer.hpp>

namespace longcord {

/// A stream that may begin: the server has 2 s to get it to the kernel, or reports that it failed.
struct Admission {
    std::string busid;
    std::uint64_t stream = 0;
    StreamSecret secret; ///< of a sealed one
    /// Of a serial port, and then of no device: nobody waits for how it goes.
    std::optional<SerialGrant> serial{};
    std::string link{};
    milliseconds dead_after = standard_dead_after; ///< its node's time-out
};

/// A stream as people see it.
struct StreamStatus {
    Holder holder;
    std::string engine; ///< empty: it has not come yet, or nobody knows
    Lease::State state = Lease::State::promised;
};

class Arbiter {
  public:
    /// A stream without a descriptor of ours (it is older than this program) tells nobody of its
    /// end: it is looked at as often as a node pings.
    static constexpr milliseconds look_at_adopted{1'000};

    struct Outside {
        /// Why this device cannot be opened; nullopt: it can.
        std::function<std::optional<std::string>(const std::string& busid)> why_not;
        /// Which serial port a node means: its key.
        std::function<Result<std::string>(const std::string& port)> serial_port;
        std::function<void(const std::string& link, PiMessage)> tell;
        /// The node's time-out, where it has not been heard lately; nullopt: it is there.
        std::function<std::optional<milliseconds>(const std::string& link)> silent;
        /// What the node gives up its streams after.
        std::function<milliseconds(const std::string& link)> dead_after = [](const std::string&) {
            return standard_dead_after;
        };
        /// Unbind and bind: ends a stream that is not ours to shut down, and heals error state.
        std::function<void(const std::string& busid)> renew;
    };

    Arbiter(
        asio::io_context& loop, WorkerPool& pool, Roots roots, PiJournal& journal, Outside outside);

    /// Ends only with the loop.
    Task<> run();

    // What nodes say.
    void open(const std::string& link, const std::string& node, const Open& message);
    void open_serial(const std::string& link, const std::string& node, const OpenSerial& message);
    void close(const std::string& link, const std::string& busid);
    void link_down(const std::string& link);

    // What becomes of devices. There: where the kernel serves it already, that stream is adopted.
    void device_there(const std::string& busid, unsigned devnum);
    void device_gone(const std::string& busid);

    // What comes to the port.
    Result<Admission> redeem(const Ticket& ticket);
    Result<Admission> admit_plain(const std::string& busid, const std::string& address);
    void began(const Admission& admission, std::string engine, UniqueFd socket);
    void failed(const Admission& admission, const std::string& why);

    std::size_t expected() const { return tickets_.outstanding(Clock::now()); }
    const Tickets::Refused& refused() const noexcept { return tickets_.refused(); }
    std::optional<StreamStatus> stream_of(const std::string& busid) const;

  private:
    void cut(const std::string& busid, std::uint64_t stream);
    void stream_ended(std::uint64_t stream);
    Task<> finish(std::string busid, std::uint64_t stream);
    void heal(const std::string& busid, const Result<unsigned>& status);
    void ended(const std::string& busid, std::uint64_t stream);
    Task<> look_at_adopted_ones();
    void tell(const Leases::Notices& notices);
    void set_timer();
    void write_record();

    asio::io_context& loop_;
    WorkerPool& pool_;
    Roots roots_;
    PiJournal& journal_;
    Outside outside_;
    Leases leases_;
    Tickets tickets_;
    StreamWatch watch_;
    StreamRecord record_; ///< what streams now, and what streamed before this start
    std::map<std::string, unsigned> devnums_;      ///< of the devices that are there, by busid
    std::map<std::uint64_t, std::string> streams_; ///< busids of the watched ones
    std::map<std::string, std::uint64_t> adopted_; ///< streams without a descriptor, by busid
    std::set<std::uint64_t> doomed_;               ///< that have to end as soon as they have begun
    asio::steady_timer expiry_;
    bool looking_ = false;
};

} // namespace longcord
