// SPDX-License-Identifier: MIT
#include "host/hand_verbs.hpp"

#include "base/spawn.hpp"
#include "base/text.hpp"
#include "plan/by_hand.hpp"
#include "plan/stable_name.hpp"
#include "plan/standing.hpp"
#include "proxmox/qemu_process.hpp"
#include "proxmox/vm_files.hpp"

#include <algorithm>

#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

namespace longcord {

using nlohmann::json;

namespace {

std::string text_argument(const json& args, const char* key) {
    const auto value = args.find(key);
    return value != args.end() && value->is_string() ? value->get<std::string>() : std::string();
}

bool flag_argument(const json& args, const char* key) {
    const auto value = args.find(key);
    return value != args.end() && value->is_boolean() && *value == true;
}

} // namespace

Result<Place> find_place(const World& world, const std::string& text) {
    for (const auto& [place, situation] : situations(world)) {
        const Device* device = situation.local ? &situation.local->device : situation.announced;
        const std::string pi = place.pi.empty() ? "" : place.pi + '/';
        if (device && text == pi + device->controller + '/' + place.path.to_string())
            return place;
    }
    const auto place = Place::parse(text);
    if (!place)
        return fail(
            place.error().kind, "\"{}\" is no place that is known here: {}", printable(text),
            place.error().message);
    for (const auto& [port, import] : world.imports) // as lsusb shows it on this node
        if (import.local && import.local->device.place == *place)
            return import.place;
    return *place;
}

bool HandVerbs::knows(const std::string& verb) {
    return verb == "attach" || verb == "detach" || verb == "resume" || verb == "quiesce";
}

Task<Result<json>> HandVerbs::answer(std::string verb, json args, Peer peer) {
    if (!reconciler_.world().complete())
        co_return fail(ErrorKind::unavailable, "the service is still starting; try again");
    if (verb == "attach") {
        auto result = co_await attach(std::move(args));
        co_return result;
    }
    if (verb == "detach") {
        auto result = co_await detach(std::move(args));
        co_return result;
    }
    if (verb == "quiesce") {
        auto result = co_await quiesce(std::move(args), peer);
        co_return result;
    }
    co_return resume(args);
}

void HandVerbs::something_changed() {
    for (asio::steady_timer* timer : waiting_)
        timer->cancel();
}

/// True once it is so; false where the time is over. Not asked before the next plan: what stands
/// now is from before what was asked for.
Task<bool> HandVerbs::until(Reached reached) {
    const auto end = Clock::now() + patience;
    asio::steady_timer timer(loop_);
    const auto mine = waiting_.insert(waiting_.end(), &timer);
    bool so = false;
    while (!so && Clock::now() < end) {
        timer.expires_at(end);
        co_await timer.async_wait(as_value);
        so = reached();
    }
    waiting_.erase(mine);
    co_return so;
}

Result<Place> HandVerbs::place_argument(const json& args) const {
    const std::string text = text_argument(args, "place");
    if (text.empty())
        return fail(ErrorKind::invalid, "it needs a place");
    return find_place(reconciler_.world(), text);
}

/// By number, or the name of a machine of host.yaml.
Result<unsigned> HandVerbs::find_vm_argument(const json& args) const {
    const World& world = reconciler_.world();
    const auto given = args.find("vmid");
    if (given != args.end() && given->is_number_unsigned() && *given <= highest_vmid)
        return given->get<unsigned>();
    const std::string name = text_argument(args, "vmid");
    for (const auto& [id, machine] : world.machines)
        if (machine == name)
            return id;
    if (const auto number = parse_decimal(name, highest_vmid))
        return *number;
    return fail(
        ErrorKind::invalid, "\"{}\" is neither a VMID nor a machine of host.yaml", printable(name));
}

json HandVerbs::outcome_at(const Place& place) const {
    json result{{"place", place.to_string()}, {"state", nullptr}, {"vmid", nullptr}, {"why", ""}};
    const auto outcome = reconciler_.outcomes().find(place);
    if (outcome == reconciler_.outcomes().end())
        return result;
    result["state"] = std::string(to_string(outcome->second.state));
    if (outcome->second.vmid)
        result["vmid"] = *outcome->second.vmid;
    result["why"] = outcome->second.why;
    return result;
}

Task<Result<json>> HandVerbs::attach(json args) {
    const auto place = place_argument(args);
    if (!place)
        co_return place.error();
    const auto vmid = find_vm_argument(args);
    if (!vmid)
        co_return vmid.error();
    World& world = reconciler_.world();
    if (!world.vms.contains(*vmid))
        co_return fail(ErrorKind::not_found, "VM {} does not run on this node", *vmid);
    if (auto here = decided_here(world, *place, text_argument(args, "place")); !here)
        co_return here.error();
    const auto done = attach_by_hand(world, *place, *vmid, flag_argument(args, "force"));
    if (!done)
        co_return done.error();
    journal_.device(*place, "by-hand", fmt::format("attached to VM {} by hand", *vmid));
    const auto known = world.history.find(*place);
    if (known != world.history.end())
        known->second.backoff.succeeded(); // a person wants to know now
    reconciler_.wake();
    const Reached reached = [this, where = *place, wanted = *vmid] {
        const auto outcome = reconciler_.outcomes().find(where);
        if (outcome == reconciler_.outcomes().end() || outcome->second.vmid != wanted)
            return false;
        const auto state = outcome->second.state;
        return state == DeviceState::plugged || state == DeviceState::refused ||
               state == DeviceState::held_off ||
               (state == DeviceState::waiting && !outcome->second.why.starts_with("asking"));
    };
    const bool settled = co_await until(reached);
    (void)settled; // what has become of it by now is the answer
    co_return outcome_at(*place);
}

Task<Result<json>> HandVerbs::detach(json args) {
    const auto place = place_argument(args);
    if (!place)
        co_return place.error();
    if (auto here = decided_here(reconciler_.world(), *place, text_argument(args, "place")); !here)
        co_return here.error();
    const auto done = detach_by_hand(reconciler_.world(), *place);
    if (!done)
        co_return done.error();
    journal_.device(*place, "by-hand", "detached by hand");
    reconciler_.wake();
    const Reached reached = [this, where = *place] {
        const auto outcome = reconciler_.outcomes().find(where);
        return outcome == reconciler_.outcomes().end() ||
               (outcome->second.state == DeviceState::unclaimed &&
                outcome->second.why.starts_with("detached by hand"));
    };
    const bool settled = co_await until(reached);
    (void)settled; // what has become of it by now is the answer
    co_return outcome_at(*place);
}

Result<json> HandVerbs::resume(const json& args) {
    const std::string name = text_argument(args, "place");
    if (name.empty())
        return fail(ErrorKind::invalid, "it needs a place");
    World& world = reconciler_.world();
    const auto place = find_place(world, name);
    if (auto here = decided_here(world, place ? std::optional(*place) : std::nullopt, name); !here)
        return here.error();
    const auto resumed = resume_place(world, place ? std::optional(*place) : std::nullopt, name);
    if (resumed == Resumed::nothing && !place)
        return place.error();
    if (place && resumed != Resumed::by_rules && !stable_name_by_bus(world, *place))
        if (const auto names = by_hand_at_port(world, *place); !names.empty())
            return fail(
                ErrorKind::not_found,
                "nothing is plugged in on the bus of {}, so its controller is not known: say "
                "\"longcord resume {}\"",
                name, fmt::format("{}", fmt::join(names, "\", or \"longcord resume ")));
    const bool changed = resumed == Resumed::by_rules;
    if (changed && place)
        journal_.device(*place, "by-hand", "the rules decide again");
    const bool tried = resumed == Resumed::tried_anew && !outcome_at(*place)["vmid"].is_null();
    if (tried)
        journal_.device(*place, "by-hand", "tried anew: its failures are forgotten");
    reconciler_.wake();
    return json{
        {"place", place ? place->to_string() : name}, {"changed", changed}, {"tried_anew", tried}};
}

Task<Result<json>> HandVerbs::quiesce(json args, Peer peer) {
    const auto vmid = find_vm_argument(args);
    if (!vmid)
        co_return vmid.error();
    if (flag_argument(args, "release")) {
        const bool held = holds_.contains(*vmid);
        if (held)
            release(*vmid, "released");
        co_return json{{"vmid", *vmid}, {"released", held}};
    }
    if (!reconciler_.world().vms.contains(*vmid))
        co_return fail(ErrorKind::not_found, "VM {} does not run on this node", *vmid);
    if (holds_.contains(*vmid))
        co_return fail(ErrorKind::busy, "VM {} is quiesced already, by another client", *vmid);
    auto result = co_await hold(*vmid, peer);
    co_return result;
}

/// The hold belongs to the process that asked for it, however that ends.
Task<Result<json>> HandVerbs::hold(unsigned vmid, Peer peer) {
    auto process = open_process(peer.pid);
    if (!process)
        co_return fail(
            ErrorKind::unavailable, "the process that asks cannot be watched: {}",
            process.error().message);
    const auto watched =
        std::make_shared<asio::posix::stream_descriptor>(loop_, process->release());
    holds_[vmid] = watched;
    World& world = reconciler_.world();
    quiesce_vm(world, vmid);
    journal_.vm(vmid, "quiesced", fmt::format("its devices come out, for process {}", peer.pid));
    spawn_guarded(loop_, fmt::format("quiesced VM {}", vmid), release_when_gone(vmid, watched));
    reconciler_.wake();
    const Reached reached = [this, vmid] {
        const World& now = reconciler_.world();
        const auto vm = now.vms.find(vmid);
        return vm == now.vms.end() || (!vm->second.stale && plugged_in(now, vmid).empty());
    };
    const bool out = co_await until(reached);
    json left = json::array();
    for (const auto& place : plugged_in(reconciler_.world(), vmid))
        left.push_back(place.to_string());
    if (!out)
        release(vmid, "its devices did not come out in time");
    co_return json{{"vmid", vmid}, {"quiesced", out}, {"left", std::move(left)}};
}

Task<> HandVerbs::release_when_gone(
    unsigned vmid, std::shared_ptr<asio::posix::stream_descriptor> process) {
    co_await process->async_wait(asio::posix::stream_descriptor::wait_read, as_value);
    const auto held = holds_.find(vmid);
    if (held != holds_.end() && held->second == process)
        release(vmid, "the process that wanted it has ended");
}

void HandVerbs::release(unsigned vmid, const std::string& why) {
    const auto held = holds_.extract(vmid);
    if (!held.empty())
        held.mapped()->cancel();
    release_vm(reconciler_.world(), vmid);
    journal_.vm(vmid, "quiesced", fmt::format("its devices may come back: {}", why));
    reconciler_.wake();
}

} // namespace longcord
