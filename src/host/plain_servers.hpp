// SPDX-License-Identifier: MIT
// USB/IP servers that are not ours (host.yaml, usbip_servers) as a source of the World. Nobody
// there tells us what comes and goes, and nothing is polled: a server is asked at start, on
// `longcord rescan`, and a few times after a stream of it ended, since a device that was reset is
// listed again soon.
#pragma once

#include "base/clock.hpp"
#include "config/address.hpp"
#include "host/journal.hpp"
#include "host/reconciler.hpp"
#include "host/stream_dialer.hpp"
#include "usbip/wire.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace longcord {

class PlainServers {
  public:
    static constexpr milliseconds answer_limit{3'000};
    /// After a stream ended, while its device is not listed: 0.5, 1, 2, 4, 8, 16 s.
    static constexpr unsigned most_looks = 6;
    static constexpr milliseconds first_pause{500};

    PlainServers(
        asio::io_context& loop, StreamDialer& dialer, Reconciler& reconciler, Journal& journal)
        : loop_(loop), dialer_(dialer), reconciler_(reconciler), journal_(journal) {}

    /// At start and when host.yaml was read anew: asks those that are new.
    void configure(const std::map<std::string, Address>& servers);

    /// A Pi's usbipd has this device now: it is asked for its descriptors. not_found: it does not
    /// list it.
    Task<Result<>> pushed(Place place, Address server);
    /// It went. False: it was not known.
    bool withdrawn(const Place& place);
    /// All that a Pi pushed.
    void withdraw_all(const std::string& pi);
    struct Pushed {
        Address server;
        std::set<Place> places;
    };
    const std::map<std::string, Pushed>& pushes() const noexcept { return pushes_; }

    struct Answer {
        std::string name;
        Result<std::size_t> devices; ///< how many it lists
    };
    /// Asks all of them.
    Task<std::vector<Answer>> rescan();
    /// Asks this one, known from elsewhere than host.yaml too.
    Task<Result<std::size_t>> ask(std::string name, Address server);
    /// An import from there is over.
    void stream_ended(const Place& place);

  private:
    bool is_ours(const std::string& name) const {
        return servers_.contains(name) || pushes_.contains(name);
    }
    Task<> ask_first(std::string name, Address server);
    Task<> look_for(Place place);
    void listed(
        const std::string& name, const Address& server, const std::string& address,
        const std::vector<WireDevice>& devices);

    asio::io_context& loop_;
    StreamDialer& dialer_;
    Reconciler& reconciler_;
    Journal& journal_;
    std::map<std::string, Address> servers_;
    std::map<std::string, Pushed> pushes_; ///< by Pi
};

/// As the server lists it. not_found: its busid is none that a rule could name ("1-0").
Result<Device> device_of(const WireDevice& wire, const std::string& server);

} // namespace longcord
