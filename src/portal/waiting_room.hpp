// SPDX-License-Identifier: MIT
// The connections from which a request is awaited, or has come in part only. Where no further one
// may be, the one that has waited longest makes room: whoever opens many and says nothing shuts
// out nobody but themselves. Pure.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <string>
#include <utility>

namespace longcord {

class WaitingRoom {
  public:
    struct Guest {
        std::string address;
        std::function<void()> close;
    };
    /// In the room for as long as it lives.
    class Seat {
      public:
        Seat(WaitingRoom& room, Guest guest)
            : room_(room), at_(room.guests_.insert(room.guests_.end(), std::move(guest))) {}
        ~Seat() { room_.guests_.erase(at_); }
        Seat(const Seat&) = delete;
        Seat& operator=(const Seat&) = delete;

      private:
        WaitingRoom& room_;
        std::list<Guest>::iterator at_;
    };

    /// Closes the one that has waited longest, of this address or, with the empty one, of all.
    /// False: nobody waits. Its seat is left when its connection ends; it is closed once only.
    bool close_longest(const std::string& address) {
        for (Guest& guest : guests_)
            if (guest.close && (address.empty() || guest.address == address)) {
                std::exchange(guest.close, nullptr)();
                return true;
            }
        return false;
    }
    std::size_t size() const noexcept { return guests_.size(); }

  private:
    std::list<Guest> guests_;
};

} // namespace longcord
