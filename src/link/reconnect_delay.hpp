// SPDX-License-Identifier: MIT
// How long a Pi waits before it tries a node again: 0.5 s to 30 s, doubling, with jitter, so that
// fifty Pis do not come back to a restarted sshd in the same moment. After a refusal (key, host
// key) a minute: nobody will have changed anything sooner, and sshd penalises an address that tries
// and fails.
#pragma once

#include "base/clock.hpp"

#include <cstdint>
#include <random>

namespace longcord {

class ReconnectDelay {
  public:
    static constexpr milliseconds shortest{500};
    static constexpr milliseconds longest{30'000};
    static constexpr milliseconds after_refusal{60'000};
    /// A session that lasted this long was a good one: the next delay is short again. One that ends
    /// at once (two Pis with one key replacing each other) keeps slowing down.
    static constexpr milliseconds good_session{10'000};

    explicit ReconnectDelay(std::uint64_t seed) : random_(seed) {}

    /// An attempt, or a session, has ended after `lasted`. Jitter: between half and the whole of
    /// 1, 2, 4, ... 30 s; for a refusal a tenth is added at most.
    milliseconds next(milliseconds lasted, bool refused);

  private:
    std::mt19937_64 random_;
    milliseconds step_ = 2 * shortest;
};

} // namespace longcord
