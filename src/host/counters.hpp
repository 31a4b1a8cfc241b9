// SPDX-License-Identifier: MIT
// What has been counted since the service started, for `longcord metrics`.
#pragma once

#include "base/clock.hpp"
#include "base/error.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace longcord {

/// How long something took: a Prometheus histogram.
struct DurationHistogram {
    static constexpr std::array<milliseconds, 9> bounds{
        milliseconds(1),   milliseconds(2),   milliseconds(5),
        milliseconds(10),  milliseconds(20),  milliseconds(50),
        milliseconds(100), milliseconds(200), milliseconds(1'000)};

    std::array<std::uint64_t, bounds.size()> at_most{}; ///< of each bound alone, not cumulated
    std::uint64_t count = 0;
    milliseconds sum{0};
    milliseconds longest{0};

    void add(milliseconds took) noexcept {
        for (std::size_t i = 0; i < bounds.size(); ++i)
            if (took <= bounds[i]) {
                ++at_most[i];
                break;
            }
        ++count;
        sum += took;
        longest = std::max(longest, took);
    }
};

struct Counters {
    std::map<std::string, std::uint64_t> done;   ///< by step: "plugged", "imported", ...
    std::map<std::string, std::uint64_t> failed; ///< the same
    DurationHistogram qmp;                       ///< a monitor held, from greeting to close
};

/// `step`: the journal's word where it succeeded; empty: not worth counting.
inline void count(Counters& counters, std::string_view step, const Result<>& result) {
    if (step.empty())
        return;
    ++(result ? counters.done : counters.failed)[std::string(step)];
}

} // namespace longcord
