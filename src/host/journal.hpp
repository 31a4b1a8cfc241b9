// SPDX-License-Identifier: MIT
// What happened, for people: one event, and one log line, for each thing done or noticed. `longcord
// events` shows them, with the time each step took.
#pragma once

#include "base/clock.hpp"
#include "control/event_log.hpp"
#include "host/counters.hpp"
#include "plan/action.hpp"
#include "plan/planner.hpp"

#include <functional>
#include <optional>
#include <string>

namespace longcord {

class Journal {
  public:
    using Publish = std::function<void(const Event&)>;
    /// How a message is worded for people: machines by their names.
    using Wording = std::function<std::string(std::string)>;
    Journal(Publish publish, Wording wording)
        : publish_(std::move(publish)), wording_(std::move(wording)) {}

    const EventLog& log() const noexcept { return log_; }

    void action_ended(const Action& action, const Result<>& result, milliseconds took);
    /// How long a VM's monitor was kept from others.
    void qmp_session(milliseconds held) { counters_.qmp.add(held); }
    const Counters& counters() const noexcept { return counters_; }
    void outcome_changed(const Place& place, const Outcome* outcome);
    /// `address`: of somebody at that Pi's ports.
    void pi(
        const std::string& name, std::string kind, std::string message, std::string address = {});
    void device(const Place& place, std::string kind, std::string message);
    void vm(unsigned vmid, std::string kind, std::string message);
    void problem(std::string message);

  private:
    void write(Event event, bool warn);

    Publish publish_;
    Wording wording_;
    EventLog log_;
    Counters counters_;
};

} // namespace longcord
