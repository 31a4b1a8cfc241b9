// SPDX-License-Identifier: MIT
// How long to leave a thing alone after it failed: 0.5 s, doubled at each failure, 30 s at most. A
// success, or a device that was plugged anew, starts over.
#pragma once

#include "base/clock.hpp"

namespace longcord {

class Backoff {
  public:
    static constexpr milliseconds first{500};
    static constexpr milliseconds longest{30'000};

    void failed(TimePoint now) noexcept;
    void succeeded() noexcept { *this = {}; }

    bool may_try(TimePoint now) const noexcept { return now >= retry_at_; }
    TimePoint retry_at() const noexcept { return retry_at_; }

  private:
    unsigned failures_ = 0;
    TimePoint retry_at_{};
};

} // namespace longcord
