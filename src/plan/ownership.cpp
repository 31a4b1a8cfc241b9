// SPDX-License-Identifier: MIT
#include "plan/ownership.hpp"

#include "plan/by_hand.hpp"
#include "plan/machine_id.hpp"
#include "plan/standing.hpp"

#include <algorithm>

namespace longcord {

std::string name_claim(const Claim& claim) {
    if (is_machine(claim.vmid))
        return fmt::format("VM {} (host.yaml:{})", claim.vmid, claim.line);
    return fmt::format("VM {} ({}.usb.conf:{})", claim.vmid, claim.vmid, claim.line);
}

namespace {

/// The claims that count now, strongest first.
struct Field {
    std::vector<Claim> eligible;
    const Claim* unheard = nullptr; ///< the strongest of a VM that has not been heard
};

Field who_may_have_it(
    const World& world, const Situation& situation, const std::vector<Claim>& claims) {
    Field field;
    for (const auto& claim : claims) {
        switch (standing(world, claim.vmid)) {
        case Standing::open:
            field.eligible.push_back(claim);
            break;
        case Standing::keeping:
            if (situation.plugged_into(claim.vmid))
                field.eligible.push_back(claim);
            break;
        case Standing::unknown:
            if (!field.unheard)
                field.unheard = &claim;
            break;
        case Standing::absent:
        case Standing::leaving:
            break;
        }
    }
    return field;
}

Ownership owned_by(const RulesIndex& rules, const Claim& claim, const Subject& subject) {
    return {
        Ownership::Kind::owned, claim.vmid, rules.speaking(subject, claim.vmid), name_claim(claim)};
}

std::string why_nobody(const World& world, const std::vector<Claim>& claims) {
    if (claims.empty())
        return "no rule wants it";
    if (world.quiesced.contains(claims.front().vmid))
        return fmt::format("wanted by {}, which is quiesced", name_claim(claims.front()));
    if (claims.size() == 1)
        return fmt::format("wanted by {}, which is not running", name_claim(claims.front()));
    return fmt::format(
        "wanted by {} and {} more, none of them running", name_claim(claims.front()),
        claims.size() - 1);
}

} // namespace

Ownership decide_owner(
    const World& world, const RulesIndex& rules, const Place& place, const Situation& situation) {
    if (world.giving_back)
        return {Ownership::Kind::nobody, 0, nullptr, "everything is given back"};
    const Device* known = situation.device();
    if (!known && situation.import) // found at start, and neither the Pi nor the kernel has spoken
        return {Ownership::Kind::wait, 0, nullptr, "not known yet"};
    if (!known)
        return {Ownership::Kind::nobody, 0, nullptr, "not plugged in"};
    if (const ByHand* hand = by_hand_at(world, place))
        return owned_by_hand(world, *hand, situation);
    for (const auto& plug : situation.plugs)
        if (world.rules_unread.contains(plug.vmid))
            return {
                Ownership::Kind::wait, 0, nullptr,
                fmt::format("the rules of VM {} have errors: it keeps what it holds", plug.vmid)};
    // An import's copy was enumerated here and carries this host's place: match by the Pi's.
    std::optional<Device> moved;
    if (known->place != place) {
        moved = *known;
        moved->place = place;
    }
    const Subject subject = situation.subject(moved ? *moved : *known);
    const auto all = rules.claims(subject);
    const auto [eligible, unheard] = who_may_have_it(world, situation, all);

    const auto holder = std::find_if(eligible.begin(), eligible.end(), [&](const Claim& claim) {
        return situation.plugged_into(claim.vmid);
    });
    const Claim* best = eligible.empty() ? nullptr : &eligible.front();
    if (holder != eligible.end() && !(best->strength > holder->strength))
        best = &*holder;
    if (unheard && (!best || unheard->strength >= best->strength)) {
        // The holder keeps it against an equal claim, heard or not.
        const bool holder_keeps = best && holder != eligible.end() && best == &*holder &&
                                  unheard->strength == best->strength;
        if (!holder_keeps)
            return {
                Ownership::Kind::wait, 0, nullptr,
                fmt::format("waiting for an answer of {}", name_claim(*unheard))};
    }
    if (!best) {
        // A Pi that has not spoken since this service started may yet say what a rule needs.
        if (situation.import && !situation.announced && !situation.import_outlived())
            return {Ownership::Kind::wait, 0, nullptr, "its Pi is not linked now"};
        return {Ownership::Kind::nobody, 0, nullptr, why_nobody(world, all)};
    }
    const bool is_holder = holder != eligible.end() && best == &*holder;
    if (!is_holder && eligible.size() > 1 && eligible[1].strength == best->strength)
        return {
            Ownership::Kind::conflict, 0, nullptr,
            fmt::format(
                "{} and {} want it equally: make one rule more precise", name_claim(eligible[0]),
                name_claim(eligible[1])),
            holder != eligible.end()};
    return owned_by(rules, *best, subject);
}

} // namespace longcord
