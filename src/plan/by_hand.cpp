// SPDX-License-Identifier: MIT
#include "plan/by_hand.hpp"

#include "plan/changes.hpp"
#include "plan/stable_name.hpp"
#include "plan/standing.hpp"
#include "qmp/plug_id.hpp"

namespace longcord {

namespace {

/// There is no line of a file to speak for it: no options, and force only where it was asked for.
const Rule* rule_of(const ByHand& hand) {
    static const Rule plain{};
    static const Rule forced = [] {
        Rule rule;
        rule.force = true;
        return rule;
    }();
    return hand.force ? &forced : &plain;
}

/// "workbench/1-1" and "workbench/platform-fe9c0000.xhci/1"; not "3-1" and "pci-0000:00:14.0/1".
bool is_of_pi(const std::string& name) {
    return is_pi_name(std::string_view(name).substr(0, name.find('/')));
}

/// Of every intent; returns whether it was in any.
bool forget_name(World& world, const std::string& name) {
    bool found = false;
    for (auto& [vmid, intent] : world.intents) {
        const auto dropped =
            intent.attached.erase(name) + intent.detached.erase(name) + intent.forced.erase(name);
        if (dropped > 0)
            world.unsaved_intents.insert(vmid);
        found = found || dropped > 0;
    }
    return found;
}

Result<std::string> name_of_plugged(const World& world, const Place& place) {
    const auto name = stable_name(world, place);
    if (!name)
        return fail(ErrorKind::not_found, "nothing is plugged in at {}", place.to_string());
    return *name;
}

Result<> room_in(const std::set<std::string>& names, unsigned vmid) {
    if (names.size() < VmIntent::most_by_hand)
        return {};
    return fail(
        ErrorKind::full, "VM {}: {} places were changed by hand already; resume some of them", vmid,
        VmIntent::most_by_hand);
}

} // namespace

const ByHand* by_hand_at(const World& world, const Place& place) {
    if (world.by_hand.empty())
        return nullptr;
    const auto name = stable_name(world, place);
    const auto hand = name ? world.by_hand.find(*name) : world.by_hand.end();
    return hand == world.by_hand.end() ? nullptr : &hand->second;
}

Ownership owned_by_hand(const World& world, const ByHand& hand, const Situation& situation) {
    constexpr std::string_view way_out = "\"longcord resume\" lets the rules decide again";
    if (hand.kind == ByHand::Kind::detached)
        return {Ownership::Kind::nobody, 0, nullptr, fmt::format("detached by hand; {}", way_out)};
    const auto why = fmt::format("attached by hand to VM {}", hand.vmid);
    switch (standing(world, hand.vmid)) {
    case Standing::open:
        return {Ownership::Kind::owned, hand.vmid, rule_of(hand), why};
    case Standing::keeping:
        if (situation.plugged_into(hand.vmid))
            return {Ownership::Kind::owned, hand.vmid, rule_of(hand), why};
        return {
            Ownership::Kind::nobody, 0, nullptr,
            fmt::format("{}, which is paused or locked; {}", why, way_out)};
    case Standing::unknown:
        return {Ownership::Kind::wait, 0, nullptr, fmt::format("{}, which is being asked", why)};
    case Standing::leaving:
    case Standing::absent:
        break;
    }
    if (world.vms_elsewhere.contains(hand.vmid))
        return {Ownership::Kind::nobody, 0, nullptr, fmt::format("{}, on another node", why)};
    return {
        Ownership::Kind::nobody, 0, nullptr,
        fmt::format("{}, which does not run now; {}", why, way_out)};
}

void index_by_hand(World& world) {
    world.by_hand.clear();
    for (const bool elsewhere : {false, true}) // of two that name one place, that of this node
        for (const auto& [vmid, intent] : world.intents) {
            if (world.vms_nowhere.contains(vmid) || world.vms_elsewhere.contains(vmid) != elsewhere)
                continue;
            const auto add = [&, vmid = vmid](const std::string& name, const ByHand& hand) {
                if (!elsewhere || is_of_pi(name))
                    world.by_hand.try_emplace(name, hand);
            };
            for (const auto& name : intent.attached)
                add(name, {ByHand::Kind::attached, vmid, intent.forced.contains(name)});
            for (const auto& name : intent.detached)
                add(name, {ByHand::Kind::detached, vmid, false});
        }
}

Result<> decided_here(
    const World& world, const std::optional<Place>& place, const std::string& name) {
    std::vector<std::string> names{name};
    if (place)
        if (const auto stable = stable_name_by_bus(world, *place))
            names.push_back(*stable);
    for (const auto& each : names) {
        const auto hand = world.by_hand.find(each);
        if (hand != world.by_hand.end() && world.vms_elsewhere.contains(hand->second.vmid))
            return fail(
                ErrorKind::busy,
                "{} was {} by hand for VM {}, which is on another node: say "
                "\"longcord resume {}\" there",
                each, hand->second.kind == ByHand::Kind::attached ? "attached" : "detached",
                hand->second.vmid, each);
    }
    return {};
}

Result<> attach_by_hand(World& world, const Place& place, unsigned vmid, bool force) {
    const auto name = name_of_plugged(world, place);
    if (!name)
        return name.error();
    const auto all = situations(world);
    const Device* device = all.at(place).device();
    if (device && device->is_hub())
        return fail(
            ErrorKind::not_found, "{} is a hub; attach what is plugged into it", place.to_string());
    forget_name(world, *name);
    VmIntent& intent = world.intents[vmid];
    if (auto room = room_in(intent.attached, vmid); !room)
        return room;
    intent.attached.insert(*name);
    if (force)
        intent.forced.insert(*name);
    world.unsaved_intents.insert(vmid);
    index_by_hand(world);
    return {};
}

Result<> detach_by_hand(World& world, const Place& place) {
    const auto name = name_of_plugged(world, place);
    if (!name)
        return name.error();
    const auto all = situations(world);
    const Situation& situation = all.at(place);
    std::set<unsigned> concerned;
    for (const auto& plug : situation.plugs)
        concerned.insert(plug.vmid);
    if (const ByHand* hand = by_hand_at(world, place))
        concerned.insert(hand->vmid);
    Device device = *situation.device();
    device.place = place;
    for (const auto& claim : claims(situation.subject(device), world.rules))
        concerned.insert(claim.vmid);
    if (concerned.empty())
        return fail(ErrorKind::not_found, "no VM has {} and no rule wants it", place.to_string());
    for (const unsigned vmid : concerned)
        if (auto room = room_in(world.intents[vmid].detached, vmid); !room)
            return room;
    forget_name(world, *name);
    for (const unsigned vmid : concerned) {
        world.intents[vmid].detached.insert(*name);
        world.unsaved_intents.insert(vmid);
    }
    index_by_hand(world);
    return {};
}

Resumed resume_place(World& world, const std::optional<Place>& place, const std::string& name) {
    bool by_hand = forget_name(world, name);
    bool held_back = false;
    if (place) {
        const auto stable = stable_name_by_bus(world, *place);
        by_hand = (stable && forget_name(world, *stable)) || by_hand;
        by_hand = forget_name(world, place->to_string()) || by_hand;
        if (const auto history = world.history.find(*place); history != world.history.end()) {
            held_back = !history->second.last_error.empty() ||
                        history->second.replugs.ever_held() || history->second.removals.ever_held();
            world.history.erase(history);
        }
        if (const auto use = world.uses.find(*place); use != world.uses.end())
            use->second.patience.succeeded();
    }
    index_by_hand(world);
    return by_hand ? Resumed::by_rules : held_back ? Resumed::tried_anew : Resumed::nothing;
}

std::vector<std::string> by_hand_at_port(const World& world, const Place& place) {
    const std::string before = place.is_local() ? "" : place.pi + '/';
    const std::string after = '/' + place.path.to_string();
    std::vector<std::string> names;
    for (const auto& [name, hand] : world.by_hand) {
        const std::string_view rest =
            std::string_view(name).substr(name.starts_with(before) ? before.size() : name.size());
        if (rest.ends_with(after) && is_controller_name(rest.substr(0, rest.size() - after.size())))
            names.push_back(name);
    }
    return names;
}

void quiesce_vm(World& world, unsigned vmid) {
    world.quiesced.insert(vmid);
    vm_touched(world, vmid);
}

void release_vm(World& world, unsigned vmid) {
    world.quiesced.erase(vmid);
    vm_touched(world, vmid);
}

std::vector<Place> plugged_in(const World& world, unsigned vmid) {
    std::vector<Place> places;
    const auto vm = world.vms.find(vmid);
    if (vm == world.vms.end() || !vm->second.view)
        return places;
    for (const auto& device : vm->second.view->devices)
        if (auto place = place_of_plug_id(device.id); place && device.hostport.empty())
            places.push_back(std::move(*place));
    return places;
}

} // namespace longcord
