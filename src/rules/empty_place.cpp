// SPDX-License-Identifier: MIT
#include "rules/empty_place.hpp"

#include <algorithm>
#include <tuple>

namespace longcord {

namespace {

using Kind = RuleVerdict::Kind;

bool covers_it(const Rule& rule, const EmptyPlace& at) {
    return rule.place.covers(at.place, at.controller, at.devpath);
}

bool names_places_alone(const Rule& rule) {
    return strength(rule).qualifiers == 0;
}

std::string machine_of(const std::string& pi) {
    return pi.empty() ? "this host" : "the Pi " + pi;
}

std::string reason_of(const Rule& rule, const EmptyPlace& at) {
    const auto& pattern = rule.place;
    const auto name = at.place.to_string();
    const auto wanted = pattern.to_string();
    if (pattern.kind == PlacePattern::Kind::anywhere)
        return "any place will do";
    if (covers_it(rule, at))
        return name == wanted ? "it names this place" : fmt::format("{} is in {}", name, wanted);
    if (pattern.pi != at.place.pi)
        return fmt::format(
            "{} is on {}, not on {}", name, machine_of(at.place.pi), machine_of(pattern.pi));
    if (!pattern.controller.empty() && at.controller != pattern.controller)
        return at.controller.empty() ? "the controller of an empty bus is not known"
                                     : fmt::format(
                                           "{} is on the controller {}, not on {}", name,
                                           at.controller, pattern.controller);
    if (pattern.kind == PlacePattern::Kind::devpath && at.devpath.empty())
        return "the DEVPATH of an empty bus is not known";
    return fmt::format("{} is neither {} nor below it", name, wanted);
}

/// The line that leaves out whatever is plugged in there; nullptr: none.
const Rule* denial(const EmptyPlace& at, std::span<const Rule> rules) {
    const auto found = std::find_if(rules.begin(), rules.end(), [&](const Rule& rule) {
        return rule.deny && names_places_alone(rule) && covers_it(rule, at);
    });
    return found == rules.end() ? nullptr : &*found;
}

RuleVerdict judge(const Rule& rule, const EmptyPlace& at, unsigned vmid, const Rule* denying) {
    RuleVerdict verdict{vmid, rule.line, rule.text, Kind::no_match, reason_of(rule, at)};
    if (!covers_it(rule, at))
        return verdict;
    if (!rule.deny && denying != nullptr) {
        verdict.kind = Kind::denied_by_other_line;
        verdict.reason += fmt::format("; but line {} leaves it out", denying->line);
    } else if (!names_places_alone(rule)) {
        verdict.kind = Kind::depends;
        verdict.reason += "; the rest is known once something is plugged in";
    } else {
        verdict.kind = rule.deny ? Kind::denies : Kind::matches;
    }
    return verdict;
}

} // namespace

std::vector<RuleVerdict> explain_empty(const EmptyPlace& at, std::span<const VmRules> vms) {
    std::vector<RuleVerdict> verdicts;
    for (const auto& vm : vms) {
        const Rule* denying = denial(at, vm.rules);
        for (const auto& rule : vm.rules)
            verdicts.push_back(judge(rule, at, vm.vmid, denying));
    }
    std::stable_sort(verdicts.begin(), verdicts.end(), [](const auto& a, const auto& b) {
        return std::tie(a.vmid, a.line) < std::tie(b.vmid, b.line);
    });
    return verdicts;
}

std::vector<Claim> claims_on_anything(const EmptyPlace& at, std::span<const VmRules> vms) {
    std::vector<Claim> found;
    for (const auto& vm : vms) {
        const Rule* best = nullptr;
        for (const auto& rule : vm.rules)
            if (!rule.deny && names_places_alone(rule) && covers_it(rule, at) &&
                (best == nullptr || speaks_before(rule, *best)))
                best = &rule;
        if (best != nullptr && denial(at, vm.rules) == nullptr)
            found.push_back({vm.vmid, best->line, strength(*best)});
    }
    std::sort(found.begin(), found.end(), comes_first);
    return found;
}

} // namespace longcord
