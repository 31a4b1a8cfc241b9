// SPDX-License-Identifier: MIT
// When a Pi is told what became of its devices. Where a device stands for good, or waits, is told
// at once. What it passes through on its way into a VM is told only where it lasts: a plug has
// eight such steps in half a second, each would be a message that is sealed, opened and logged on a
// Pi which is busy with that very plug, and nobody can read them.
#pragma once

#include "base/clock.hpp"
#include "base/task.hpp"
#include "plan/planner.hpp"
#include "usb/place.hpp"

#include <functional>
#include <map>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace longcord {

class StateTeller {
  public:
    using Tell = std::function<void(const Place&, const Outcome&)>;

    /// What has not passed `patience` later, or sooner, is told.
    StateTeller(asio::io_context& loop, Tell tell, milliseconds patience = milliseconds(300));

    /// nullptr: nothing is there any more, of which a Pi needs no telling.
    void changed(const Place& place, const Outcome* outcome);

  private:
    void tell_what_lasts();

    Tell tell_;
    milliseconds patience_;
    asio::steady_timer timer_;
    std::map<Place, Outcome> passing_; ///< the timer runs while there is one
};

} // namespace longcord
