// SPDX-License-Identifier: MIT
#include "rules/rules_index.hpp"

#include <algorithm>

namespace longcord {

namespace {

std::uint64_t port_key(unsigned bus, const PortPath& path) {
    return std::uint64_t{bus} << 32 | path.ports.front();
}

std::uint32_t id_key(const UsbId& id) {
    return std::uint32_t{id.vendor} << 16 | id.product;
}

} // namespace

RulesIndex::RulesIndex(std::span<const VmRules> vms) {
    for (const auto& vm : vms) {
        vms_.emplace(vm.vmid, &vm);
        for (const auto& rule : vm.rules)
            group_of(rule).push_back({&vm, &rule});
    }
}

RulesIndex::Entries& RulesIndex::group_of(const Rule& rule) {
    const PlacePattern& place = rule.place;
    switch (place.kind) {
    case PlacePattern::Kind::pi_any:
    case PlacePattern::Kind::pi_bus:
    case PlacePattern::Kind::pi_controller:
        return of_pi_[place.pi];
    case PlacePattern::Kind::local_bus:
        return of_port_[port_key(place.bus, place.path)];
    case PlacePattern::Kind::local_controller:
        return of_controller_[place.controller];
    case PlacePattern::Kind::anywhere:
        return rule.id ? of_id_[id_key(*rule.id)] : others_;
    case PlacePattern::Kind::devpath:
        break;
    }
    return others_;
}

void RulesIndex::add_matches(const Entries& entries, const Subject& subject, Entries& found) const {
    for (const auto& entry : entries)
        if (matches(*entry.rule, subject))
            found.push_back(entry);
}

void RulesIndex::add_local(const Place& place, const Subject& subject, Entries& found) const {
    if (const auto group = of_port_.find(port_key(place.bus, place.path)); group != of_port_.end())
        add_matches(group->second, subject, found);
}

std::vector<Claim> RulesIndex::claims(const Subject& subject) const {
    std::vector<Claim> claims;
    const Device& device = subject.device;
    if (device.is_hub())
        return claims;
    Entries found;
    if (device.place.is_local()) {
        add_local(device.place, subject, found);
        // Both halves of a port lead to different groups, never to the same rule twice.
        if (subject.peer && port_key(subject.peer->bus, subject.peer->path) !=
                                port_key(device.place.bus, device.place.path))
            add_local(*subject.peer, subject, found);
        if (const auto group = of_controller_.find(device.controller);
            group != of_controller_.end())
            add_matches(group->second, subject, found);
    } else if (const auto group = of_pi_.find(device.place.pi); group != of_pi_.end()) {
        add_matches(group->second, subject, found);
    }
    if (const auto group = of_id_.find(id_key(device.id)); group != of_id_.end())
        add_matches(group->second, subject, found);
    add_matches(others_, subject, found);

    std::sort(found.begin(), found.end(), [](const Entry& a, const Entry& b) {
        return a.vm->vmid < b.vm->vmid;
    });
    for (auto first = found.begin(); first != found.end();) {
        const auto end = std::find_if(
            first, found.end(), [&](const Entry& entry) { return entry.vm != first->vm; });
        const Rule* best = nullptr;
        const bool denied =
            std::any_of(first, end, [](const Entry& entry) { return entry.rule->deny; });
        for (auto entry = first; entry != end && !denied; ++entry)
            if (!best || speaks_before(*entry->rule, *best))
                best = entry->rule;
        if (best)
            claims.push_back({first->vm->vmid, best->line, strength(*best)});
        first = end;
    }
    std::sort(claims.begin(), claims.end(), comes_first);
    return claims;
}

const Rule* RulesIndex::speaking(const Subject& subject, unsigned vmid) const {
    const auto vm = vms_.find(vmid);
    return vm == vms_.end() ? nullptr : speaking_rule(subject, vm->second->rules);
}

bool RulesIndex::has_rules(unsigned vmid) const {
    const auto vm = vms_.find(vmid);
    return vm != vms_.end() && !vm->second->rules.empty();
}

} // namespace longcord
