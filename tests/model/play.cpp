// SPDX-License-Identifier: MIT
#include "play.hpp"

#include "cast.hpp"
#include "laws.hpp"
#include "plan/by_hand.hpp"
#include "plan/changes.hpp"

#include <algorithm>

namespace longcord::model {

namespace {

/// Every so many plans another order is tried; each time would double the work.
constexpr std::size_t orders_apart = 8;
/// Longer than any patience (FlapGuard::longest_hold): whatever is held off has been tried.
constexpr seconds long_rest{700};
/// Of changing actions, once faults have ended. A place may be taken out of a VM and of vhci,
/// fetched, authorised, plugged, found with another configuration and plugged again, and a failure
/// of the fault times may still be tried again in between; twice that is a circle.
constexpr std::size_t most_changes = 16 * (pi_places.size() + local_places.size());
/// Of turns in which something was heard or done, likewise.
constexpr std::size_t most_rounds = 2'000;

bool changes_something(const Action& action) {
    return !std::holds_alternative<LookAtVm>(action) && !std::holds_alternative<LookAtUse>(action);
}

} // namespace

Play::Play() {
    world_.knows_rules = world_.knows_vms = world_.knows_devices = true;
    world_.vhci = outside_.vhci_table();
    outside_.pis[std::string(plain_pi)].plain = true;
    world_.pis[std::string(plain_pi)].plain = true;
}

std::string Play::run(const Life& life) {
    try {
        for (const auto& one : life) {
            if (keep_log)
                note("> " + format_life({one}));
            happen(one);
            if (!one.together)
                turn();
            if (!broken_.empty())
                return broken_;
        }
        turn();
        come_to_rest();
    } catch (const std::exception& e) {
        broken(fmt::format("something threw: {}", e.what()));
    }
    return broken_;
}

void Play::note(std::string line) {
    if (keep_log)
        log_.push_back(std::move(line));
}

void Play::broken(std::string law) {
    if (broken_.empty())
        broken_ = std::move(law);
    note("BROKEN: " + broken_);
}

void Play::turn() {
    if (!broken_.empty())
        return;
    const Plan latest = plan(world_, now_);
    ++plans_;
    wake_ = latest.wake;
    if (auto law = broken_by_plan(world_, outside_, latest); !law.empty())
        return broken(law);
    if (plans_ % orders_apart == 0) {
        const World other = in_other_order(world_);
        if (essence(plan(other, now_)) != essence(latest))
            return broken("another order gives another plan");
    }
    for (const auto& action : latest.actions) {
        note(to_string(action));
        ++begun_.at(action.index());
        changes_ += changes_something(action) ? 1 : 0;
        action_started(world_, action);
        running_.push_back({action});
    }
    if (auto law = broken_outside(outside_); !law.empty())
        broken(law);
}

// --- what is heard ---

void Play::read_vhci() {
    for (const auto& freed : vhci_listed(world_, outside_.vhci_table(), now_))
        if (freed.place.pi == plain_pi)
            plain_stream_ended(freed.place);
}

void Play::link(const std::string& name) {
    RealPi& pi = outside_.pis[name];
    pi.linked = true;
    pi.told_busy.clear();
    outside_.notes[name].clear();
    pi_linked(world_, name, "192.0.2.7", now_);
    Note list{Note::Kind::listed};
    for (const auto& [place, device] : pi.devices)
        list.devices.push_back(device);
    outside_.notes[name].push_back(std::move(list));
}

/// As host/plain_servers does: such a server leaves out what is in use, so what we have from there
/// stays.
void Play::rescan(const std::string& name) {
    RealPi& pi = outside_.pis[name];
    if (!pi.linked)
        return;
    std::map<Place, Device> present;
    for (const auto& [port, import] : world_.imports)
        if (import.place.pi == name)
            if (const Device* device = world_.announced_at(import.place))
                present[import.place] = *device;
    for (const auto& [place, device] : pi.devices)
        if (!outside_.port_of(place))
            present[place] = device;
    if (!world_.pis[name].linked)
        pi_linked(world_, name, "192.0.2.9", now_);
    world_.pis[name].plain = true;
    std::vector<Device> list;
    for (const auto& [place, device] : present)
        list.push_back(device);
    pi_listed(world_, name, list, now_);
}

/// Gone until it is listed again, and that is asked at once.
void Play::plain_stream_ended(const Place& place) {
    pi_removed(world_, place);
    rescan(place.pi);
}

bool Play::tell(const std::string& who) {
    auto& waiting = outside_.notes[who];
    if (waiting.empty())
        return false;
    const Note said = waiting.front();
    waiting.pop_front();
    note(fmt::format("  ({} says something)", who));
    switch (said.kind) {
    case Note::Kind::listed:
        pi_listed(world_, who, said.devices, now_);
        break;
    case Note::Kind::added:
        pi_added(world_, said.devices.front(), now_);
        break;
    case Note::Kind::removed:
        pi_removed(world_, said.place);
        break;
    case Note::Kind::available:
        pi_available(world_, said.place);
        break;
    case Note::Kind::gone:
        if (said.devnum != 0)
            device_gone(world_, said.sysname, said.devnum);
        read_vhci();
        break;
    case Note::Kind::device:
        if (const auto device = outside_.kernel_device(said.sysname)) {
            if (device->on_vhci)
                read_vhci();
            device_seen(world_, *device, now_);
        } else {
            device_gone(world_, said.sysname);
        }
        break;
    case Note::Kind::vms:
        vms_running(world_, outside_.running());
        break;
    case Note::Kind::configs:
        vms_configured(world_, outside_.configs);
        break;
    }
    return true;
}

// --- at rest ---

/// One round without faults: everything that waits is heard, everything that is under way succeeds.
bool Play::hear_and_do_everything() {
    bool any = false;
    for (const auto& [port, import] : outside_.ports)
        if (import.ours && import.devnum == 0) {
            outside_.enumerates(port, false);
            any = true;
        }
    while (!outside_.leaving.empty()) {
        outside_.removes(outside_.leaving.begin()->first);
        any = true;
    }
    for (auto& [who, waiting] : outside_.notes)
        while (tell(who))
            any = true;
    while (!running_.empty()) {
        end(0, 0);
        any = true;
    }
    return any;
}

void Play::come_to_rest() {
    // A plain server says nothing when somebody else is done with a device: it is asked for ever.
    outside_.pis[std::string(plain_pi)].elsewhere.clear();
    const std::size_t before = changes_;
    std::size_t rounds = 0;
    TimePoint quiet_since = now_;
    std::size_t seen_changes = changes_;
    while (broken_.empty()) {
        const bool any = hear_and_do_everything();
        turn();
        if (changes_ != seen_changes)
            quiet_since = now_;
        seen_changes = changes_;
        if (changes_ - before > most_changes)
            return broken("faults have ended, and there is no end of changes");
        if (++rounds > most_rounds)
            return broken("faults have ended, and there is no end of rounds");
        if (any || !running_.empty())
            continue;
        if (!wake_ || now_ - quiet_since > long_rest)
            break;
        if (*wake_ <= now_)
            return broken("the planner asks to be woken at once, and then does nothing");
        now_ = *wake_;
        turn();
    }
    if (!broken_.empty())
        return;
    const Plan last = plan(world_, now_);
    if (auto law = broken_at_rest(world_, outside_, last); !law.empty())
        broken(law);
}

} // namespace longcord::model
