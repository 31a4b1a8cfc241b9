// SPDX-License-Identifier: MIT
// The Pis as a source of the World: their links come and go, their devices are listed, added and
// removed. And the way back: a Pi is told what became of its devices.
#pragma once

#include "base/roots.hpp"
#include "config/host_config.hpp"
#include "host/journal.hpp"
#include "host/open_requests.hpp"
#include "host/reconciler.hpp"
#include "host/state_teller.hpp"
#include "link/link_server.hpp"

#include <map>
#include <set>

namespace longcord {

class LinkSource {
  public:
    LinkSource(
        asio::io_context& loop, const Roots& roots, const HostConfig& config, std::string node,
        Reconciler& reconciler, Journal& journal, OpenRequests& opens);

    Task<> run() { return server_.run(); }

    /// host.yaml was read anew.
    void configure(std::string node);

    /// The Pi of that place is told, if it is linked; nullptr: nothing is there any more.
    void changed(const Place& place, const Outcome* outcome) { teller_.changed(place, outcome); }
    std::optional<milliseconds> round_trip(const std::string& pi) const {
        return server_.round_trip(pi);
    }

    /// What each Pi that spoke since the start is: "longcord-pi 0.1.0".
    const std::map<std::string, std::string>& software() const noexcept { return software_; }

    /// For pairing: who asks what of it, and what it does to links.
    using OnPairing = std::function<Task<HostMessage>(Preface, std::string line)>;
    using OnLeave = std::function<Task<>(std::string pi)>;
    using OnPush = std::function<Task<Done>(Preface)>;
    void on_push(OnPush handle) { on_push_ = std::move(handle); }
    void on_pairing(OnPairing handle) { on_pairing_ = std::move(handle); }
    void on_link_down(std::function<void(const std::string& pi)> handle) {
        on_link_down_ = std::move(handle);
    }
    /// What else came from a Pi that is unpaired.
    void on_expelled(std::function<void(const std::string& pi)> handle) {
        on_expelled_ = std::move(handle);
    }
    void on_leave(OnLeave handle) { on_leave_ = std::move(handle); }
    std::vector<LinkServer::LinkedKey> linked_keys(TimePoint before) const {
        return server_.linked_keys(before);
    }
    void set_nodes(std::vector<NodeAddress> nodes) { server_.set_nodes(std::move(nodes)); }
    const std::vector<NodeAddress>& nodes() const noexcept { return server_.nodes(); }
    void say(const std::string& pi, HostMessage message) { server_.send(pi, std::move(message)); }
    /// Ends the link and lets go of what came over it.
    void expel(const std::string& pi, const std::string& why);
    struct LinkFacts {
        std::string address;
        TimePoint since;
    };
    std::optional<LinkFacts> link_of(const std::string& pi) const;

  private:
    LinkServer::Handler handler();
    std::optional<Address> address_set_for(const std::string& pi, std::uint16_t default_port) const;
    /// Where its streams are dialled: as host.yaml has it, else as it said.
    void set_address(const std::string& pi);
    void tell(const Place& place, const Outcome& outcome);
    void message(const std::string& pi, PiMessage message);
    void answered(const std::string& pi, const PiMessage& message);
    bool has_room(const std::string& pi, const Place& place);

    asio::io_context& loop_;
    const HostConfig& config_;
    std::string node_;
    OnPairing on_pairing_;
    OnLeave on_leave_;
    OnPush on_push_;
    std::function<void(const std::string& pi)> on_link_down_;
    std::function<void(const std::string& pi)> on_expelled_;
    Reconciler& reconciler_;
    Journal& journal_;
    OpenRequests& opens_;
    std::map<std::string, Address> said_; ///< of each Pi: where its link came from, and its port
    std::set<std::string> overfull_;      ///< Pis that were told of the limit
    LinkServer server_;
    StateTeller teller_;
    std::map<std::string, std::string> software_;
};

} // namespace longcord
