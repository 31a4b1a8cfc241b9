// SPDX-License-Identifier: MIT
// The links to all nodes. Every node hears of every exported device; what a node says of a device
// is kept for `status`.
#pragma once

#include "base/roots.hpp"
#include "config/pi_config.hpp"
#include "link/ssh_link.hpp"
#include "pi/joined.hpp"
#include "pi/journal.hpp"

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace longcord {

/// One link, for people.
struct LinkStatus {
    std::string node; ///< as it calls itself; empty until it has
    std::string host; ///< as pi.yaml has it, or as it was joined
    bool linked = false;
    std::string problem;
    bool joined = false;            ///< by a pairing; pi.yaml does not name it
    std::optional<seconds> since{}; ///< how long it has been linked
    std::optional<std::chrono::microseconds> round_trip{};
    std::string software{}; ///< "longcord-host 0.1.0"; empty until it has spoken
};

class Links {
  public:
    /// A node pings every second: one that has said nothing for so long is not there.
    static constexpr milliseconds silent_after{1'500};

    struct Handler {
        /// Asked at each welcome: the full list. nullopt: the first look at this machine's devices
        /// is not over; tell_devices() follows.
        std::function<std::optional<std::vector<Device>>()> exported;
        std::function<void(const std::string& link, const std::string& node, const Open&)> open;
        std::function<void(const std::string& link, const std::string& node, const OpenSerial&)>
            open_serial;
        std::function<void(const std::string& link, const std::string& busid)> close;
        /// A node's address may be another one now, or a node has become one of ours or is no more.
        std::function<void()> nodes;
        /// It went, or began anew: what the node asked for before counts no more.
        std::function<void(const std::string& link)> down;
    };

    Links(asio::io_context& loop, Roots roots, PiJournal& journal, Handler handler);

    /// Links with the nodes of this configuration, from now on. A link that stays as it was goes
    /// on.
    void configure(const PiConfig& config);
    /// The same for the nodes of joined clusters; one that pi.yaml names too is linked as that has
    /// it.
    void set_joined(const JoinedClusters& clusters);
    /// A joined node said which others there are.
    using Learned =
        std::function<void(const std::string& told_by, const std::vector<NodeAddress>& nodes)>;
    void on_learned(Learned learned) { learned_ = std::move(learned); }
    bool is_linked(const NodeAddress& node) const;
    /// Until that node is linked (or is not), at most so long; returns whether it came to that.
    Task<bool> wait_for(std::string node, bool linked, milliseconds at_most);
    /// False where the node is not linked, and so cannot be told.
    bool say_leave(const NodeAddress& node);
    /// A file that pi.yaml names, below LONGCORD_ROOT where that is set.
    std::filesystem::path below_root(const std::filesystem::path& file) const;

    void added(const Device& device);
    void removed(const std::string& busid);
    /// To the nodes whose welcome had no answer yet.
    void tell_devices();
    /// `link` is an address, as in LinkStatus::host; one that is gone is told nothing.
    void tell(const std::string& link, PiMessage message);
    /// The node's time-out where it has not been heard lately, or is no node of ours any more.
    std::optional<milliseconds> silent(const std::string& link) const;
    /// The node's time-out, as it said; the usual one where it is no node of ours any more.
    milliseconds dead_after(const std::string& link) const;

    /// For a test of the connection: how a link gets there. By name, or by address with or without
    /// its port.
    struct Way {
        std::string address;
        std::string node; ///< empty: not known yet
        LinkTarget target;
    };
    Result<Way> way_to(const std::string& node) const;
    /// Whether the service there speaks; a link that waits before its next attempt makes it now.
    Task<Result<std::string>> service_of(std::string address, milliseconds at_most);

    std::vector<LinkStatus> status() const;
    /// Of all nodes in pi.yaml: as written where that is an address, and as of the latest link.
    std::vector<std::string> addresses() const;
    bool leads_to(const std::string& address) const;
    /// The latest that a linked node said of this device; a node that has it counts more.
    const State* state_of(const std::string& busid) const;

  private:
    /// A node to be linked with.
    struct Wanted {
        Address address;
        bool joined = false;
        std::string node; ///< its name, where a pairing told it
        bool operator==(const Wanted&) const = default;
    };
    struct Link {
        Address address;
        bool joined = false;
        std::string node;
        std::string software;
        std::string peer;      ///< its IP address in the latest session that linked
        std::string complaint; ///< the latest that was logged: the same one is not logged again
        milliseconds dead_after = Welcome{}.dead_after;
        bool waits = false;                  ///< its welcome has no answer yet
        std::map<std::string, State> states; ///< by busid
        std::unique_ptr<LinkClient> client;
    };

    std::vector<Wanted> wanted() const;
    void link_as_wanted(bool anew);
    void add(const Wanted& wanted);
    const Link* joined_link(const NodeAddress& node) const;
    void changed();
    Task<> next_change(TimePoint until);
    LinkTarget target_of(const Address& address, bool joined) const;
    void take(Link& link, const HostMessage& message);
    void keep(Link& link, const State& state);
    void welcome(Link& link, const Welcome& welcome);
    void complain(Link& link, const std::string& why);
    void introduce(Link& link, std::vector<Device> devices);
    void down(Link& link, const Error& why);
    void send_all(const PiMessage& message);
    const Link* find(const std::string& address) const;

    asio::io_context& loop_;
    Roots roots_;
    PiConfig config_;
    PiJournal& journal_;
    Handler handler_;
    JoinedClusters joined_;
    Learned learned_;
    std::list<asio::steady_timer*> waiting_; ///< for a link to come or go
    std::vector<std::unique_ptr<Link>> links_;
};

} // namespace longcord
