// SPDX-License-Identifier: MIT
// What happened on this Pi: one event and one log line for each thing done or noticed.
#pragma once

#include "control/event_log.hpp"
#include "usb/device.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace longcord {

class PiJournal {
  public:
    using Publish = std::function<void(const Event&)>;
    explicit PiJournal(Publish publish) : publish_(std::move(publish)) {}

    const EventLog& log() const noexcept { return log_; }

    /// Subject first in the message: "1-1.2: ..." is added for a place.
    void write(Event event, bool warn = false);
    void operation_ended(
        const Device& device, std::string_view what, const Result<>& result, milliseconds took);
    void device(const std::string& busid, std::string kind, std::string message);
    void link(std::string kind, std::string message, bool warn = false);

  private:
    EventLog log_;
    Publish publish_;
};

} // namespace longcord
