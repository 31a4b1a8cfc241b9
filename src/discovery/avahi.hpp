// SPDX-License-Identifier: MIT
// Nodes that may be found announce themselves by mDNS (_longcord._tcp, with sshd's port), through
// the avahi-daemon of their machine; a Pi's portal lists them. What is announced is a hint for a
// person and trusted for nothing: pairing needs a token that was copied by hand. The one file that
// knows Avahi; it speaks D-Bus with it. Blocking: for a worker.
#pragma once

#include "base/clock.hpp"
#include "base/error.hpp"
#include "discovery/found_node.hpp"

#include <memory>
#include <string>
#include <vector>

struct sd_bus;

namespace longcord {

constexpr const char* discovery_service = "_longcord._tcp";
constexpr std::size_t max_found_nodes = 64; ///< of a hostile network, too

/// Who announces itself now, with one address each. ErrorKind::unavailable: no avahi-daemon runs
/// here.
Result<std::vector<FoundNode>> find_nodes(milliseconds at_most);

/// What this machine says of itself, for as long as the object lives.
class Announcement {
  public:
    /// ErrorKind::unavailable: no avahi-daemon; ::not_found: no such interface.
    static Result<std::shared_ptr<Announcement>> make(
        const std::string& node, unsigned port, const std::vector<std::string>& interfaces);
    ~Announcement();
    Announcement(const Announcement&) = delete;
    Announcement& operator=(const Announcement&) = delete;

    /// Becomes readable when something has happened to it.
    int fd() const;
    /// False: it is announced no more, because avahi-daemon has ended or was restarted.
    bool look();

  private:
    Announcement() = default;
    sd_bus* bus_ = nullptr;
    bool over_ = false;
};

} // namespace longcord
