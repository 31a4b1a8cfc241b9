// SPDX-License-Identifier: MIT
#include "serial/serial_refusals.hpp"

#include <algorithm>

namespace longcord {

std::optional<std::uint64_t> SerialRefusals::note(
    const std::string& address, const std::string& name, TimePoint now) {
    const auto is_it = [&](const Refused& each) { return each.address == address; };
    const auto found = std::ranges::find_if(all_, is_it);
    Refused refused{address, name, 0, 0, {}};
    const bool known = found != all_.end();
    if (known) {
        refused = *found;
        all_.erase(found);
    } else if (all_.size() >= at_most) {
        all_.erase(all_.begin());
    }
    refused.name = name;
    ++refused.times;
    ++refused.unsaid;
    // Never said: however often it tried, it waits for its line only.
    const bool due = refused.unsaid == refused.times || now - refused.said_at >= quiet;
    std::optional<std::uint64_t> say;
    if (due && log_.allow(now)) {
        say = refused.unsaid - 1;
        refused.unsaid = 0;
        refused.said_at = now;
    }
    all_.push_back(std::move(refused));
    return say;
}

} // namespace longcord
