// SPDX-License-Identifier: MIT
// The links to all nodes. Every node hears of every exported device; what a node says of a device
// is kept for `status`.
#pragma once

#include "base/roots.hpp"
#include "config/pi_config.hpp"
#include "link/ssh_link.hpp"
#include "pi/journal.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace longcord {

/// One link, for people.
struct LinkStatus {
    std::string node; ///< as it calls itself; empty until it has
    std::string host; ///< as pi.yaml has it
    bool linked = false;
    std::string problem;
};

class Links {
  public:
    using List = std::function<std::vector<Device>()>;

    /// `exported` is asked at each welcome: the full list.
    Links(asio::io_context& loop, Roots roots, List exported, PiJournal& journal);

    /// Links with the nodes of this configuration, from now on. A link that stays as it was goes
    /// on.
    void configure(const PiConfig& config);

    void added(const Device& device);
    void removed(const std::string& busid);

    std::vector<LinkStatus> status() const;
    /// The latest that a linked node said of this device; a node that has it counts more.
    const State* state_of(const std::string& busid) const;

  private:
    struct Link {
        Address address;
        std::string node;
        std::string complaint; ///< the latest that was logged: the same one is not logged again
        std::map<std::string, State> states; ///< by busid
        std::unique_ptr<LinkClient> client;
    };

    void add(const Address& address);
    void take(Link& link, const HostMessage& message);
    void welcome(Link& link, const Welcome& welcome);
    void complain(Link& link, const std::string& why);
    void send_all(const PiMessage& message);

    asio::io_context& loop_;
    Roots roots_;
    PiConfig config_;
    List exported_;
    PiJournal& journal_;
    std::vector<std::unique_ptr<Link>> links_;
};

} // namespace longcord
