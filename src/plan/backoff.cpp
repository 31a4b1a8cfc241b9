// SPDX-License-Identifier: MIT
#include "plan/backoff.hpp"

#include <algorithm>

namespace longcord {

void Backoff::failed(TimePoint now) noexcept {
    constexpr unsigned doublings = 6; // 0.5 s * 2^6 is past the longest
    const auto delay = first * (1u << std::min(failures_, doublings));
    retry_at_ = now + std::min<milliseconds>(delay, longest);
    ++failures_;
}

} // namespace longcord
