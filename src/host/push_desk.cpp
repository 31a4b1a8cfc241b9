// SPDX-License-Identifier: MIT
#include "host/push_desk.hpp"

#include "base/files.hpp"
#include "base/spawn.hpp"

#include <nlohmann/json.hpp>

namespace longcord {

namespace {

using nlohmann::json;

constexpr std::size_t max_file = 64 * 1024;
constexpr milliseconds file_limit{5'000};

/// Nothing of it will change by itself within milliseconds.
bool is_settled(const Outcome& outcome) {
    switch (outcome.state) {
    case DeviceState::importing:
    case DeviceState::plugging:
    case DeviceState::leaving:
        return false;
    case DeviceState::waiting:
        return !outcome.why.starts_with("asking");
    default:
        return true;
    }
}

/// Whether a script may take it for done: the device has its VM, or nobody wants it now.
bool is_fine(const Outcome& outcome) {
    return outcome.state == DeviceState::plugged || outcome.state == DeviceState::unclaimed;
}

std::string told(const Place& place, const Outcome& outcome) {
    const auto name = place.to_string();
    if (outcome.state == DeviceState::plugged && outcome.vmid)
        return fmt::format("{} is plugged into VM {}", name, *outcome.vmid);
    return fmt::format("{} is {}: {}", name, to_string(outcome.state), outcome.why);
}

} // namespace

PushDesk::PushDesk(
    asio::io_context& loop, Roots roots, WorkerPool& pool, const HostConfig& config,
    PlainServers& servers, Reconciler& reconciler, Journal& journal)
    : loop_(loop), file_(roots.state() / "pushed.json"), pool_(pool), config_(config),
      servers_(servers), reconciler_(reconciler), journal_(journal) {}

Task<Done> PushDesk::push(Preface preface) {
    const auto command = parse_push_command(preface.command);
    if (!command)
        co_return Done{false, command.error().message};
    auto place = Place::parse(command->busid).value(); // parse_push_command has seen to that
    place.pi = preface.pi;
    const auto known = reconciler_.world().pis.find(preface.pi);
    if (known != reconciler_.world().pis.end() && known->second.linked && !known->second.plain)
        co_return Done{
            false,
            fmt::format(
                "{} is linked by longcord-pi, which tells of its devices itself", preface.pi)};
    if (!command->connect) {
        const bool was_known = servers_.withdrawn(place);
        co_await save();
        journal_.device(place, "removed", "its Pi says it is gone");
        co_return Done{
            true, place.to_string() + (was_known ? " is let go" : " was not known here")};
    }
    pushers_[preface.pi] = {preface.key, Clock::now()};
    Address server{preface.address, config_.usbip_port};
    if (const auto set = config_.pis.find(preface.pi);
        set != config_.pis.end() && set->second.address)
        if (const auto address = Address::parse(*set->second.address, config_.usbip_port))
            server = *address;
    auto done = co_await connect(place, server);
    co_return done;
}

Task<Done> PushDesk::connect(Place place, Address server) {
    const auto pushed = co_await servers_.pushed(place, server);
    co_await save();
    if (!pushed)
        co_return Done{false, fmt::format("{}: {}", place.to_string(), pushed.error().message)};
    journal_.device(place, "added", "pushed by its Pi, at " + server.to_string());
    auto done = co_await outcome_of(place);
    co_return done;
}

Task<Done> PushDesk::outcome_of(Place place) {
    auto waiter = std::make_shared<Waiter>(loop_, place);
    waiters_.push_back(waiter);
    const auto limit = Clock::now() + outcome_limit;
    for (;;) {
        const auto outcome = reconciler_.outcomes().find(place);
        const bool there = outcome != reconciler_.outcomes().end();
        if ((there && is_settled(outcome->second)) || Clock::now() >= limit) {
            std::erase(waiters_, waiter);
            if (!there)
                co_return Done{
                    true, place.to_string() + " is known; nothing was decided of it yet"};
            co_return Done{is_fine(outcome->second), told(place, outcome->second)};
        }
        waiter->timer.expires_at(limit);
        co_await waiter->timer.async_wait(as_value);
    }
}

void PushDesk::changed(const Place& place) {
    for (const auto& waiter : waiters_)
        if (waiter->place == place)
            waiter->timer.cancel();
}

/// Of a push that says nothing of its key (a longcord-link from before an upgrade), the name
/// counts.
bool PushDesk::lost_its_key(
    const std::string& pi, const PairedKeys& paired, TimePoint began) const {
    const auto found = pushers_.find(pi);
    const Pusher pusher = found == pushers_.end() ? Pusher{} : found->second;
    if (pusher.since >= began)
        return false; // paired, and let in, after that look began
    const auto key = paired.find(pi);
    if (key == paired.end())
        return !pusher.key.empty() || paired_before_.contains(pi);
    return !pusher.key.empty() && pusher.key != key->second.fingerprint;
}

std::set<std::string> PushDesk::keep_only(const PairedKeys& paired, TimePoint began) {
    std::set<std::string> lost;
    std::set<std::string> unpaired;
    for (const auto& [pi, pushed] : servers_.pushes())
        if (lost_its_key(pi, paired, began))
            (paired.contains(pi) ? lost : unpaired).insert(pi);
    paired_before_.clear();
    for (const auto& [pi, key] : paired)
        paired_before_.insert(pi);
    for (const auto& pi : lost)
        journal_.pi(pi, "unlinked", "another key has taken its place: what it pushed is let go");
    for (const auto& pi : unpaired)
        journal_.pi(pi, "unlinked", "it is not paired any more: what it pushed is let go");
    lost.insert(unpaired.begin(), unpaired.end());
    for (const auto& pi : lost)
        forget(pi);
    return unpaired;
}

void PushDesk::forget(const std::string& pi) {
    servers_.withdraw_all(pi);
    pushers_.erase(pi);
    spawn_guarded(loop_, "remembering what was pushed", save());
}

Task<> PushDesk::save() {
    json pis = json::object();
    for (const auto& [pi, pushed] : servers_.pushes()) {
        json busids = json::array();
        for (const auto& place : pushed.places)
            busids.push_back(place.busid());
        const auto pusher = pushers_.find(pi);
        pis[pi] = {
            {"server", pushed.server.to_string()},
            {"key", pusher == pushers_.end() ? "" : pusher->second.key},
            {"busids", std::move(busids)}};
    }
    std::function<Result<>()> job = [file = file_, text = pis.dump(1) + '\n'] {
        return write_file(file, text, 0600);
    };
    const auto saved =
        co_await pool_.run<void>("remembering what was pushed", file_limit, std::move(job));
    // Busy: another save is under way; the next push writes again.
    if (!saved && saved.error().kind != ErrorKind::busy)
        journal_.problem(saved.error().message);
}

Task<> PushDesk::resume() {
    std::function<Result<std::string>()> job = [file = file_] { return read_file(file, max_file); };
    const auto text =
        co_await pool_.run<std::string>("what was pushed", file_limit, std::move(job));
    const auto pis = json::parse(text ? *text : "", nullptr, false);
    if (!pis.is_object())
        co_return;
    for (const auto& [pi, entry] : pis.items()) {
        const auto server =
            entry.is_object() && entry.contains("server") && entry["server"].is_string() &&
                    is_pi_name(pi)
                ? Address::parse(entry["server"].get<std::string>(), config_.usbip_port)
                : Result<Address>(fail(ErrorKind::invalid, "no server"));
        if (entry.is_object() && entry.contains("key") && entry["key"].is_string())
            pushers_[pi] = {entry["key"].get<std::string>(), TimePoint{}};
        const json busids =
            entry.is_object() ? entry.value("busids", json::array()) : json::array();
        for (const auto& busid : busids) {
            auto place = busid.is_string() ? Place::parse(busid.get<std::string>())
                                           : Result<Place>(fail(ErrorKind::invalid, "no busid"));
            if (!server || !place)
                continue;
            place->pi = pi;
            const auto pushed = co_await servers_.pushed(*place, *server);
            if (!pushed)
                journal_.device(*place, "removed", pushed.error().message);
        }
    }
}

} // namespace longcord
