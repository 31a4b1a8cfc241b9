// SPDX-License-Identifier: MIT
#include "rules/check_plugged.hpp"

#include "base/text.hpp"

namespace longcord {

namespace {

using Severity = Diagnostic::Severity;

struct Rival {
    const RulesFile* file = nullptr;
    const Rule* rule = nullptr; ///< nullptr: no other VM wants that device
};

/// The first of those that want it most, of all VMs but the one of `file`.
Rival strongest_other(
    std::span<const RulesFile> files, const RulesFile& file, const Subject& subject) {
    Rival best;
    for (const auto& other : files) {
        if (other.vmid == file.vmid)
            continue;
        const auto* rule = speaking_rule(subject, other.parsed.rules);
        if (rule != nullptr && (best.rule == nullptr || strength(*rule) > strength(*best.rule)))
            best = {&other, rule};
    }
    return best;
}

/// Two rules of one strength that match one device: their ports are the same, whatever the form, so
/// they differ in what they ask of the device or not at all.
bool asks_the_same(const Rule& a, const Rule& b) {
    return a.id == b.id && a.serial == b.serial && a.product == b.product &&
           a.device_class == b.device_class;
}

Diagnostic about(const Rule& rule, Severity severity, std::string message) {
    return {severity, rule.line, rule.column, std::move(message)};
}

/// Every device that `narrow` means has what `wide` asks of it.
bool asks_no_more(const Rule& wide, const Rule& narrow) {
    const auto implied = [](const auto& wanted, const auto& given) {
        return !wanted || wanted == given;
    };
    return implied(wide.id, narrow.id) && implied(wide.serial, narrow.serial) &&
           implied(wide.product, narrow.product) && implied(wide.device_class, narrow.device_class);
}

/// Not "anywhere", and not a controller's port, which each of its buses has.
bool names_one_port(const PlacePattern& place) {
    using Kind = PlacePattern::Kind;
    return !place.path.ports.empty() && (place.kind == Kind::local_bus ||
                                         place.kind == Kind::pi_bus || place.kind == Kind::devpath);
}

/// A "!" line of the same file, in another form: where a device lies in one port and in what has no
/// longer path, that has all of the port.
std::optional<Diagnostic> left_out(
    const RulesFile& file, const Rule& rule, std::span<const SeenDevice> devices) {
    if (!names_one_port(rule.place))
        return std::nullopt;
    for (const auto& seen : devices) {
        const auto subject = seen.subject();
        if (!matches(rule, subject))
            continue;
        for (const auto& other : file.parsed.rules)
            if (other.deny && matches(other, subject) && asks_no_more(other, rule) &&
                other.place.path.ports.size() <= rule.place.path.ports.size())
                return about(rule, Severity::warning, left_out_message(other));
    }
    return std::nullopt;
}

/// Each device that the rule speaks for goes to one stronger rule of another VM.
std::optional<Diagnostic> always_beaten(
    std::span<const RulesFile> files, const RulesFile& file, const Rule& rule,
    std::span<const SeenDevice> devices) {
    Rival winner;
    std::string places;
    for (const auto& seen : devices) {
        const auto subject = seen.subject();
        if (seen.device.is_hub() || speaking_rule(subject, file.parsed.rules) != &rule)
            continue;
        const Rival best = strongest_other(files, file, subject);
        if (best.rule == nullptr || strength(*best.rule) <= strength(rule) ||
            (winner.rule != nullptr && winner.rule != best.rule))
            return std::nullopt;
        winner = best;
        places += (places.empty() ? "" : ", ") + seen.device.place.to_string();
    }
    if (winner.rule == nullptr)
        return std::nullopt;
    return about(
        rule, Severity::warning,
        fmt::format(
            "this rule never wins with what is plugged now ({}): it is always beaten by VM {}'s "
            "stronger rule ({}: {})",
            places, winner.file->vm(), winner.file->where(*winner.rule),
            format_rule(*winner.rule)));
}

/// The first device that another VM wants equally by a rule whose text does not show it.
std::optional<Diagnostic> wanted_equally(
    std::span<const RulesFile> files, const RulesFile& file, const Rule& rule,
    std::span<const SeenDevice> devices) {
    for (const auto& seen : devices) {
        const auto subject = seen.subject();
        if (seen.device.is_hub() || speaking_rule(subject, file.parsed.rules) != &rule)
            continue;
        const Rival best = strongest_other(files, file, subject);
        if (best.rule == nullptr || strength(*best.rule) != strength(rule) ||
            overlap(rule, *best.rule))
            continue;
        if (asks_the_same(rule, *best.rule))
            return about(rule, Severity::note, same_rule_message(*best.file, *best.rule));
        return about(
            rule, Severity::warning,
            fmt::format(
                "conflict with VM {} ({}: {}): {}, which is plugged now, fits both rules and goes "
                "to neither VM while both run; write a longer place or one more qualifier in the "
                "rule that is to win",
                best.file->vm(), best.file->where(*best.rule), format_rule(*best.rule),
                seen.device.place.to_string()));
    }
    return std::nullopt;
}

} // namespace

std::string left_out_message(const Rule& deny) {
    return fmt::format(
        "this rule can never win: line {}, {}, leaves out all that it names", deny.line,
        format_rule(deny));
}

std::string same_rule_message(const RulesFile& other, const Rule& theirs) {
    return fmt::format(
        "VM {} has the same rule ({}): whichever of the two runs gets the device; it stays with "
        "the one that has it, and if both start without it neither gets it",
        other.vm(), other.where(theirs));
}

std::vector<Diagnostic> check_plugged(
    std::span<const RulesFile> files, const RulesFile& file, const Rule& rule,
    std::span<const SeenDevice> devices) {
    std::vector<Diagnostic> found;
    if (auto denied = left_out(file, rule, devices))
        found.push_back(std::move(*denied));
    if (auto beaten = always_beaten(files, file, rule, devices))
        found.push_back(std::move(*beaten));
    if (auto equal = wanted_equally(files, file, rule, devices))
        found.push_back(std::move(*equal));
    return found;
}

} // namespace longcord
