// SPDX-License-Identifier: MIT
// What happened, the newest 10,000 of it (design, section 10). Pure: the caller brings the time.
#pragma once

#include "control/event.hpp"

#include <cstddef>
#include <deque>

#include <nlohmann/json_fwd.hpp>

namespace longcord {

class EventLog {
  public:
    static constexpr std::size_t standard_capacity = 10'000;

    explicit EventLog(std::size_t capacity = standard_capacity) : capacity_(capacity) {}

    /// Gives the event its number and keeps it; the oldest goes. Returns it as kept.
    const Event& add(Event event);

    const std::deque<Event>& events() const noexcept { return events_; }

    /// The reply to `events`: {"events":[...]}, oldest first. `args`: "limit", the newest N;
    /// "since", those with a greater seq. What is none of both is ignored.
    nlohmann::json to_json(const nlohmann::json& args) const;

  private:
    std::size_t capacity_;
    std::uint64_t last_ = 0;
    std::deque<Event> events_;
};

} // namespace longcord
