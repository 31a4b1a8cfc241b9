// SPDX-License-Identifier: MIT
#include "host/state_teller.hpp"

#include <utility>

namespace longcord {

static bool passes(DeviceState state) {
    return state == DeviceState::importing || state == DeviceState::plugging ||
           state == DeviceState::leaving;
}

StateTeller::StateTeller(asio::io_context& loop, Tell tell, milliseconds patience)
    : tell_(std::move(tell)), patience_(patience), timer_(loop) {}

void StateTeller::changed(const Place& place, const Outcome* outcome) {
    if (!outcome || !passes(outcome->state)) {
        passing_.erase(place);
        if (outcome)
            tell_(place, *outcome);
        return;
    }
    const bool running = !passing_.empty();
    passing_[place] = *outcome;
    if (running)
        return;
    timer_.expires_after(patience_);
    timer_.async_wait([this](boost::system::error_code error) {
        if (!error)
            tell_what_lasts();
    });
}

void StateTeller::tell_what_lasts() {
    for (const auto& [place, outcome] : std::exchange(passing_, {}))
        tell_(place, outcome);
}

} // namespace longcord
