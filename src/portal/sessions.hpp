// SPDX-License-Identifier: MIT
// Who is logged in. Kept in memory only, and of each token only its hash: what leaks from here
// opens no door. Pure: the caller brings time and random bytes.
#pragma once

#include "base/clock.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace longcord {

struct Session {
    std::string csrf; ///< what a request that changes something must show besides the cookie
    TimePoint began{};
    TimePoint used{};
};

class Sessions {
  public:
    static constexpr std::size_t limit = 32; ///< design, section 10
    static constexpr std::chrono::hours idle{12};
    static constexpr std::chrono::hours longest{7 * 24};
    using Random = std::array<std::uint8_t, 32>;

    struct New {
        std::string token; ///< for the cookie; never to be seen again
        std::string csrf;
    };
    /// One more than `limit`: the one that was used least lately ends.
    New begin(const Random& token, const Random& csrf, TimePoint now);

    /// Counts as a use. nullptr: there is none, or it is over.
    const Session* find(std::string_view token, TimePoint now);
    /// The same without being a use of it.
    bool is_alive(std::string_view token, TimePoint now) const;
    void end(std::string_view token);
    void end_all() { sessions_.clear(); }
    std::size_t size() const noexcept { return sessions_.size(); }

  private:
    std::map<std::string, Session> sessions_; ///< by the token's SHA-256
};

/// The value of one cookie in a Cookie header; empty: it is not there.
std::string cookie_value(std::string_view header, std::string_view name);

/// In a time that does not tell how much of it was right.
bool equal_secrets(std::string_view one, std::string_view other);

} // namespace longcord
