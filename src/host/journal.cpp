// SPDX-License-Identifier: MIT
#include "host/journal.hpp"

#include "control/event_fields.hpp"

#include <fmt/core.h>

namespace longcord {

namespace {

/// The event's kind where the action succeeded; empty: not worth an event.
struct DoneKind {
    std::string_view operator()(const LookAtVm&) const { return {}; }
    std::string_view operator()(const AddController&) const { return "controller-added"; }
    std::string_view operator()(const LookAtUse&) const { return {}; }
    std::string_view operator()(const ImportDevice&) const { return "imported"; }
    std::string_view operator()(const AuthorizeImport&) const { return "authorised"; }
    std::string_view operator()(const PlugDevice&) const { return "plugged"; }
    std::string_view operator()(const UnplugDevice&) const { return "unplugged"; }
    std::string_view operator()(const DetachImport&) const { return "detached"; }
};

std::optional<unsigned> vm_of(const Action& action) {
    if (const auto* look = std::get_if<LookAtVm>(&action))
        return look->vmid;
    if (const auto* add = std::get_if<AddController>(&action))
        return add->vmid;
    if (const auto* plug = std::get_if<PlugDevice>(&action))
        return plug->vmid;
    if (const auto* unplug = std::get_if<UnplugDevice>(&action))
        return unplug->vmid;
    return std::nullopt;
}

Event event_at(const Place& place, std::string kind, std::string message) {
    Event event;
    event.kind = std::move(kind);
    event.place = place.to_string();
    event.pi = place.pi;
    event.message = std::move(message);
    return event;
}

std::string subject(const Event& event) {
    if (!event.place.empty())
        return event.place + ": ";
    if (event.vmid)
        return fmt::format("VM {}: ", *event.vmid);
    if (!event.pi.empty())
        return "Pi " + event.pi + ": ";
    return {};
}

} // namespace

void Journal::write(Event event, bool warn) {
    event.message = wording_(std::move(event.message));
    event.time = std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
    const Event& kept = log_.add(std::move(event));
    const std::string took = kept.took ? fmt::format(" ({} ms)", kept.took->count()) : "";
    std::string about = wording_(subject(kept));
    if (kept.message.starts_with(about))
        about.clear();
    log_about(journal_fields(kept), warn, about + kept.message + took);
    publish_(kept);
}

void Journal::action_ended(const Action& action, const Result<>& result, milliseconds took) {
    const std::string_view done = std::visit(DoneKind{}, action);
    count(counters_, done, result);
    if (done.empty())
        return;
    Event event;
    if (const Place* place = place_of(action))
        event = event_at(*place, std::string(done), {});
    event.kind = done;
    event.message = to_string(action);
    event.vmid = vm_of(action);
    event.took = took;
    if (!result) {
        event.kind = "failed";
        event.message = fmt::format("{} failed: {}", event.message, result.error().message);
    }
    write(std::move(event), !result);
}

void Journal::outcome_changed(const Place& place, const Outcome* outcome) {
    if (!outcome)
        return device(place, "gone", "nothing is plugged there any more");
    switch (outcome->state) {
    case DeviceState::importing: // the actions tell
    case DeviceState::plugging:
    case DeviceState::leaving:
        return;
    case DeviceState::plugged: {
        Event event = event_at(
            place, "in-place",
            fmt::format(
                "VM {} has it{}", outcome->vmid.value_or(0),
                outcome->in_use_by_guest ? ", in use by the guest" : ""));
        event.vmid = outcome->vmid;
        return write(std::move(event), false);
    }
    case DeviceState::hub:
    case DeviceState::unclaimed:
    case DeviceState::waiting:
        return device(place, std::string(to_string(outcome->state)), outcome->why);
    case DeviceState::held_off:
    case DeviceState::conflict:
    case DeviceState::refused: {
        Event event = event_at(place, std::string(to_string(outcome->state)), outcome->why);
        event.vmid = outcome->vmid;
        return write(std::move(event), true);
    }
    }
}

void Journal::pi(
    const std::string& name, std::string kind, std::string message, std::string address) {
    Event event;
    event.kind = std::move(kind);
    event.pi = name;
    event.message = std::move(message);
    event.address = std::move(address);
    const bool warn = event.kind == "refused";
    write(std::move(event), warn);
}

void Journal::device(const Place& place, std::string kind, std::string message) {
    const bool warn = kind == "warning";
    write(event_at(place, std::move(kind), std::move(message)), warn);
}

void Journal::vm(unsigned vmid, std::string kind, std::string message) {
    Event event;
    event.vmid = vmid;
    event.message = std::move(message);
    const bool warn = kind == "warning" || kind == "rules-error";
    event.kind = std::move(kind);
    write(std::move(event), warn);
}

void Journal::problem(std::string message) {
    Event event;
    event.kind = "problem";
    event.message = std::move(message);
    write(std::move(event), true);
}

} // namespace longcord
