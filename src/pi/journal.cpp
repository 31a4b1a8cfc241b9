// SPDX-License-Identifier: MIT
#include "pi/journal.hpp"

#include "control/event_fields.hpp"

#include <fmt/core.h>

namespace longcord {

void PiJournal::write(Event event, bool warn) {
    event.time = std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
    const Event& kept = log_.add(std::move(event));
    const auto subject = kept.place.empty() ? std::string() : kept.place + ": ";
    const auto took = kept.took ? fmt::format(" ({} ms)", kept.took->count()) : std::string();
    log_about(journal_fields(kept), warn, subject + kept.message + took);
    publish_(kept);
}

void PiJournal::operation_ended(
    const Device& device, std::string_view what, const Result<>& result, milliseconds took) {
    const bool bind = what == "bind";
    Event event;
    event.place = device.place.busid();
    event.took = took;
    if (result) {
        event.kind = bind ? "exported" : "given-back";
        event.message = fmt::format(
            "{} {}", device.label(),
            bind               ? "is exported"
            : what == "unbind" ? "is this machine's own again"
                               : "is another device than was here: its own drivers have it first");
    } else {
        event.kind = "failed";
        event.message = fmt::format("{} failed: {}", what, result.error().message);
    }
    write(std::move(event), result.has_error());
}

void PiJournal::device(const std::string& busid, std::string kind, std::string message) {
    Event event;
    event.kind = std::move(kind);
    event.place = busid;
    event.message = std::move(message);
    write(std::move(event));
}

void PiJournal::link(std::string kind, std::string message, bool warn) {
    Event event;
    event.kind = std::move(kind);
    event.message = std::move(message);
    write(std::move(event), warn);
}

} // namespace longcord
