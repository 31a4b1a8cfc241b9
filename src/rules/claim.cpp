// SPDX-License-Identifier: MIT
#include "rules/claim.hpp"

#include <algorithm>
#include <tuple>

namespace longcord {

bool comes_first(const Claim& a, const Claim& b) noexcept {
    return a.strength != b.strength ? a.strength > b.strength : a.vmid < b.vmid;
}

bool speaks_before(const Rule& a, const Rule& b) {
    const auto strong_a = strength(a);
    const auto strong_b = strength(b);
    if (strong_a != strong_b)
        return strong_a > strong_b;
    const auto text_a = format_rule(a);
    const auto text_b = format_rule(b);
    return std::tie(text_a, a.line) < std::tie(text_b, b.line);
}

const Rule* speaking_rule(const Subject& subject, std::span<const Rule> rules) {
    const Rule* best = nullptr;
    for (const auto& rule : rules) {
        if (!matches(rule, subject))
            continue;
        if (rule.deny)
            return nullptr;
        if (best == nullptr || speaks_before(rule, *best))
            best = &rule;
    }
    return best;
}

std::vector<Claim> claims(const Subject& subject, std::span<const VmRules> vms) {
    std::vector<Claim> found;
    if (subject.device.is_hub())
        return found;
    for (const auto& vm : vms)
        if (const auto* rule = speaking_rule(subject, vm.rules))
            found.push_back({vm.vmid, rule->line, strength(*rule)});
    std::sort(found.begin(), found.end(), comes_first);
    return found;
}

std::string_view to_string(RuleVerdict::Kind kind) noexcept {
    switch (kind) {
    case RuleVerdict::Kind::no_match:
        return "no match";
    case RuleVerdict::Kind::matches:
        return "matches";
    case RuleVerdict::Kind::depends:
        return "depends on the device";
    case RuleVerdict::Kind::denies:
        return "denies";
    case RuleVerdict::Kind::denied_by_other_line:
        return "denied by another line";
    }
    return "?";
}

static void explain_vm(
    const Subject& subject, const VmRules& vm, std::vector<RuleVerdict>& verdicts) {
    using Kind = RuleVerdict::Kind;
    const auto denying = std::find_if(vm.rules.begin(), vm.rules.end(), [&](const Rule& rule) {
        return rule.deny && matches(rule, subject);
    });
    const auto* speaking = speaking_rule(subject, vm.rules);
    for (const auto& rule : vm.rules) {
        auto verdict = match(rule, subject);
        auto kind = verdict.matches ? rule.deny ? Kind::denies : Kind::matches : Kind::no_match;
        if (kind == Kind::matches && denying != vm.rules.end()) {
            kind = Kind::denied_by_other_line;
            verdict.reason += fmt::format("; but line {} leaves it out", denying->line);
        } else if (kind == Kind::matches && subject.device.is_hub()) {
            verdict.reason += "; but hubs are never plugged, only what is below them";
        } else if (kind == Kind::matches && &rule != speaking) {
            verdict.reason += fmt::format(
                "; line {} speaks for this VM: {}", speaking->line,
                strength(*speaking) > strength(rule) ? "it is stronger" : "equally strong");
        }
        verdicts.push_back({vm.vmid, rule.line, rule.text, kind, std::move(verdict.reason)});
    }
}

std::vector<RuleVerdict> explain(const Subject& subject, std::span<const VmRules> vms) {
    std::vector<RuleVerdict> verdicts;
    for (const auto& vm : vms)
        explain_vm(subject, vm, verdicts);
    std::stable_sort(verdicts.begin(), verdicts.end(), [](const auto& a, const auto& b) {
        return std::tie(a.vmid, a.line) < std::tie(b.vmid, b.line);
    });
    return verdicts;
}

} // namespace longcord
