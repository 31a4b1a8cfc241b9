// SPDX-License-Identifier: MIT
// Port 3240 is open to everybody who reaches this machine. Who has connected and not yet shown a
// ticket or an allowed request is a stranger, and strangers may cost little: 16 at a time, 2 an
// address. Streams that nodes have announced are expected, so as many more are let in. A linked
// node may come with as many as it can have devices here, in a crowd too: its connections overtake
// what its link says of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace longcord {

class Strangers {
  public:
    static constexpr std::size_t at_most = 16;
    static constexpr std::size_t an_address = 2;
    static constexpr std::size_t a_node = 16; ///< usbip-host has no more devices to give

    /// Whether one more may come from there. `expected`: tickets that could be shown now. `node`:
    /// a link goes to that address.
    bool enter(const std::string& address, std::size_t expected, bool node = false) {
        auto& from_there = by_address_[address];
        const bool crowded = !node && all_ >= at_most + expected;
        const auto room = (node ? a_node : an_address) + expected;
        if (crowded || from_there >= room) {
            if (from_there == 0)
                by_address_.erase(address);
            ++turned_away_;
            return false;
        }
        ++from_there;
        ++all_;
        return true;
    }
    /// Known now, or gone.
    void leave(const std::string& address) {
        const auto found = by_address_.find(address);
        if (found == by_address_.end())
            return;
        --all_;
        if (--found->second == 0)
            by_address_.erase(found);
    }
    std::size_t count() const noexcept { return all_; }
    std::uint64_t turned_away() const noexcept { return turned_away_; }

  private:
    std::map<std::string, std::size_t> by_address_;
    std::size_t all_ = 0;
    std::uint64_t turned_away_ = 0;
};

} // namespace longcord
