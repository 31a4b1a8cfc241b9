// SPDX-License-Identifier: MIT
#include "link/reconnect_delay.hpp"

#include <algorithm>

namespace longcord {

milliseconds ReconnectDelay::next(milliseconds lasted, bool refused) {
    const auto between = [this](milliseconds low, milliseconds high) {
        std::uniform_int_distribution<milliseconds::rep> spread(low.count(), high.count());
        return milliseconds(spread(random_));
    };
    if (refused)
        return between(after_refusal, after_refusal + after_refusal / 10);
    if (lasted >= good_session)
        step_ = 2 * shortest;
    const milliseconds step = step_;
    step_ = std::min(2 * step_, longest);
    return between(step / 2, step);
}

} // namespace longcord
