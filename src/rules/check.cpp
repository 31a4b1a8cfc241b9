// SPDX-License-Identifier: MIT
#include "rules/check.hpp"

#include "base/text.hpp"
#include "rules/check_plugged.hpp"
#include "rules/suggest.hpp"

#include <algorithm>
#include <compare>
#include <tuple>

namespace longcord {

Subject SeenDevice::subject() const {
    return Subject{device, devpath, peer ? &*peer : nullptr, peer_devpath};
}

std::string RulesFile::vm() const {
    return machine.empty() ? std::to_string(vmid) : machine;
}

std::string RulesFile::where(const Rule& rule) const {
    return fmt::format("{}:{}", name, rule.line);
}

namespace {

using Severity = Diagnostic::Severity;

bool denies(const RulesFile& file, const Rule& rule) {
    return std::any_of(file.parsed.rules.begin(), file.parsed.rules.end(), [&](const Rule& other) {
        return other.deny && covers(other, rule);
    });
}

/// Whether the file has a line for all that `theirs` names, at least as strong: then the VM's other
/// lines are not what decides there.
bool answers(const RulesFile& file, const Rule& theirs, bool with_more_strength) {
    return std::any_of(file.parsed.rules.begin(), file.parsed.rules.end(), [&](const Rule& own) {
        const auto order = strength(own) <=> strength(theirs);
        return !own.deny && covers(own, theirs) &&
               (with_more_strength ? std::is_gt(order) : std::is_gteq(order));
    });
}

class Checker {
  public:
    Checker(std::span<const RulesFile> files, const KnownWorld& known)
        : files_(files), known_(known) {}

    std::vector<FileDiagnostic> check() {
        for (const auto& file : files_)
            check_file(file);
        return std::move(out_);
    }

  private:
    void report(Severity severity, unsigned line, unsigned column, std::string message) {
        found_.push_back({severity, line, column, std::move(message)});
    }
    void report(Severity severity, const Rule& rule, std::string message) {
        report(severity, rule.line, rule.column, std::move(message));
    }

    void check_file(const RulesFile& file) {
        found_ = file.parsed.diagnostics;
        if (file.machine.empty())
            check_owner(file);
        for (const auto& rule : file.parsed.rules) {
            check_pi(rule);
            if (rule.deny || check_own_denies(file, rule))
                continue;
            check_other_vms(file, rule);
            for (auto& finding : check_plugged(files_, file, rule, known_.devices))
                found_.push_back(std::move(finding));
        }
        std::stable_sort(found_.begin(), found_.end(), [](const auto& a, const auto& b) {
            return std::tie(a.line, a.column) < std::tie(b.line, b.column);
        });
        for (auto& diagnostic : found_)
            out_.push_back({file.name, std::move(diagnostic)});
    }

    void check_owner(const RulesFile& file) {
        if (known_.vmids &&
            std::find(known_.vmids->begin(), known_.vmids->end(), file.vmid) == known_.vmids->end())
            report(
                Severity::warning, 1, 1,
                fmt::format(
                    "there is no VM {}: remove this file, or rename it to the VMID it is "
                    "meant for",
                    file.vmid));
        if (const auto owner = known_.owners.find(file.vmid); owner != known_.owners.end())
            check_uuid(file, owner->second);
        for (const auto& other : files_)
            if (other.vmid == file.vmid && &other != &file)
                report(
                    Severity::warning, 1, 1,
                    fmt::format(
                        "VM {} has another rules file, {}: only the one in the directory "
                        "of the VM's node counts, remove the other",
                        file.vmid, other.name));
    }

    void check_uuid(const RulesFile& file, const RulesOwner& owner) {
        if (owner.vm.empty())
            report(
                Severity::note, 1, 1,
                fmt::format(
                    "VM {} has no uuid in its smbios1 line: should another VM take over the "
                    "number, nothing will tell, and these rules apply to it",
                    file.vmid));
        else if (!owner.rules.empty() && owner.rules != owner.vm)
            report(
                Severity::warning, 1, 1,
                fmt::format(
                    "these rules were written for another VM {0} and do not apply: run \"longcord "
                    "rules adopt {0}\" if they are meant for this one",
                    file.vmid));
    }

    void check_pi(const Rule& rule) {
        const auto& pi = rule.place.pi;
        if (!known_.pis || pi.empty() ||
            std::find(known_.pis->begin(), known_.pis->end(), pi) != known_.pis->end())
            return;
        if (pi.starts_with("usb") && rule.place.kind == PlacePattern::Kind::pi_bus &&
            pi.substr(3) == std::to_string(rule.place.bus)) // as in sysfs' usb3/3-1
            return report(
                Severity::warning, rule,
                fmt::format(
                    "no paired Pi is named {}: write {}-{} for this host's port", pi,
                    rule.place.bus, rule.place.path.to_string()));
        const std::vector<std::string_view> names(known_.pis->begin(), known_.pis->end());
        const auto near = closest(pi, names);
        report(
            Severity::warning, rule,
            near.empty() ? fmt::format(
                               "no paired Pi is named {}: \"longcord pis\" lists them, \"longcord "
                               "pair {}\" pairs it; a port of this host is written 3-4",
                               pi, pi)
                         : fmt::format("no paired Pi is named {}: write {}", pi, near));
    }

    bool check_own_denies(const RulesFile& file, const Rule& rule) {
        for (const auto& other : file.parsed.rules) {
            if (!other.deny || !covers(other, rule))
                continue;
            report(Severity::warning, rule, left_out_message(other));
            return true;
        }
        return false;
    }

    /// One line for each way in which another VM can get in the way, naming the first such VM.
    void check_other_vms(const RulesFile& file, const Rule& rule) {
        const Rule *shared = nullptr, *conflicting = nullptr, *stronger = nullptr;
        const RulesFile *sharing_vm = nullptr, *conflicting_vm = nullptr, *stronger_vm = nullptr;
        for (const auto& other : files_) {
            if (other.vmid == file.vmid)
                continue;
            for (const auto& theirs : other.parsed.rules) {
                if (theirs.deny || !overlap(rule, theirs) || denies(file, theirs) ||
                    denies(other, rule) || denies(other, theirs))
                    continue;
                const bool same = covers(rule, theirs) && covers(theirs, rule);
                const auto keep = [&](const Rule*& kept, const RulesFile*& of) {
                    if (kept == nullptr)
                        kept = &theirs, of = &other;
                };
                if (same)
                    keep(shared, sharing_vm);
                else if (strength(rule) == strength(theirs) && !answers(file, theirs, true))
                    keep(conflicting, conflicting_vm);
                else if (strength(rule) < strength(theirs) && !answers(file, theirs, false))
                    keep(stronger, stronger_vm);
            }
        }
        if (shared != nullptr)
            report(Severity::note, rule, same_rule_message(*sharing_vm, *shared));
        if (conflicting != nullptr)
            report(
                Severity::warning, rule,
                fmt::format(
                    "conflict with VM {} ({}: {}): a device that fits both rules goes to "
                    "neither VM while both run; write a longer place or one more "
                    "qualifier in the rule that is to win",
                    conflicting_vm->vm(), conflicting_vm->where(*conflicting),
                    format_rule(*conflicting)));
        if (stronger != nullptr)
            report(
                Severity::note, rule,
                fmt::format(
                    "VM {} is stronger in part of this ({}: {}): a device that fits both "
                    "rules goes to VM {} while it runs",
                    stronger_vm->vm(), stronger_vm->where(*stronger), format_rule(*stronger),
                    stronger_vm->vm()));
    }

    std::span<const RulesFile> files_;
    const KnownWorld& known_;
    std::vector<Diagnostic> found_;
    std::vector<FileDiagnostic> out_;
};

} // namespace

std::vector<FileDiagnostic> check_rules(std::span<const RulesFile> files, const KnownWorld& known) {
    return Checker(files, known).check();
}

bool has_errors(std::span<const FileDiagnostic> diagnostics) noexcept {
    return std::any_of(diagnostics.begin(), diagnostics.end(), [](const auto& found) {
        return found.diagnostic.severity == Severity::error;
    });
}

std::optional<unsigned> vmid_of_rules_file(std::string_view path) noexcept {
    constexpr std::string_view suffix = ".usb.conf";
    constexpr unsigned highest = 999'999'999; // PVE's own range, from 100
    const auto name = path.substr(path.rfind('/') + 1);
    if (!name.ends_with(suffix))
        return std::nullopt;
    const auto digits = name.substr(0, name.size() - suffix.size());
    const auto vmid = parse_decimal(digits, highest);
    if (!vmid || *vmid < 100 || digits.starts_with('0'))
        return std::nullopt;
    return vmid;
}

} // namespace longcord
