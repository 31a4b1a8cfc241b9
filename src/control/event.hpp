// SPDX-License-Identifier: MIT
// One thing that happened, as `longcord events` shows it: what, where, for whom, and how long it
// took.
#pragma once

#include "base/clock.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace longcord {

/// Events carry the wall clock, because people compare them with other logs; nothing waits on it.
using EventTime = std::chrono::sys_time<milliseconds>;

struct Event {
    std::uint64_t seq = 0; ///< given by the log, from 1, never used again
    EventTime time{};
    std::string kind;  ///< one word: "plugged", "unplugged", "imported", "linked", "rules"
    std::string place; ///< empty: of no device
    std::optional<unsigned> vmid;
    std::string pi;
    std::string message;
    std::optional<milliseconds> took;
    std::string address; ///< of who may not connect, or now may; empty: it is about no address

    bool operator==(const Event&) const = default;
};

/// {"seq","time","kind","place","vmid","pi","message","took_ms","address"}; what is not there is
/// null.
nlohmann::json to_json(const Event& event);

/// RFC 3339 in UTC with milliseconds: "2026-03-01T12:00:00.123Z".
std::string format_time(EventTime time);
/// The same, read back; nullopt for anything else.
std::optional<EventTime> parse_time(const std::string& text);

} // namespace longcord
