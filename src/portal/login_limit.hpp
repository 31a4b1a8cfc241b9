// SPDX-License-Identifier: MIT
// How often a password may be tried: a few times at once, then slowly, by address, and for all
// together, since each try costs this machine some time. Pure.
#pragma once

#include "base/clock.hpp"

#include <map>
#include <optional>
#include <string>

namespace longcord {

class LoginLimit {
  public:
    static constexpr double at_once = 5;       ///< tries of one address,
    static constexpr double seconds_each = 12; ///< then one in so long
    static constexpr double all_at_once = 60;  ///< tries of everybody,
    static constexpr double all_seconds_each = 1;
    static constexpr std::size_t max_addresses = 1'024;

    /// One try. nullopt: it may be made; else how long to wait before the next one.
    std::optional<seconds> take(const std::string& address, TimePoint now);
    /// It was the right one: nobody who knows it is locked out for having mistyped it before.
    void forget(const std::string& address);

  private:
    struct Bucket {
        double left = 0;
        TimePoint at{};
    };
    static void fill(Bucket& bucket, double most, double each, TimePoint now);

    std::map<std::string, Bucket> addresses_;
    Bucket all_{all_at_once, {}};
};

/// Whoever has one IPv6 address has 2^64 of them: its /64 counts. An IPv4 address is itself.
std::string limited_address(const std::string& address);

} // namespace longcord
