// SPDX-License-Identifier: MIT
// Who was not let in, so that one can be let in by one step. An address that tries again and again
// is one event a minute, and however many addresses try, the log gets at most one line a second.
// Pure.
#pragma once

#include "base/clock.hpp"
#include "base/rate_limit.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace longcord {

class SerialRefusals {
  public:
    static constexpr std::size_t at_most = 64; ///< the oldest goes
    static constexpr milliseconds quiet{60'000};

    struct Refused {
        std::string address;
        std::string name; ///< of the port it tried last
        std::uint64_t times = 0;
        std::uint64_t unsaid = 0; ///< since it was said last
        TimePoint said_at{};
    };

    /// Whether to say it; then with the number of those that were not said since the last time.
    std::optional<std::uint64_t> note(
        const std::string& address, const std::string& name, TimePoint now);
    /// Whoever may now is forgotten.
    template <class MayNow> void forget(MayNow may) {
        std::erase_if(all_, [&](const Refused& each) { return may(each.address); });
    }
    /// The latest last.
    const std::vector<Refused>& all() const noexcept { return all_; }

  private:
    std::vector<Refused> all_;
    RateLimit log_{1, 10};
};

} // namespace longcord
