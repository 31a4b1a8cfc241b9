// SPDX-License-Identifier: MIT
#include "host/rules_book.hpp"

#include "base/files.hpp"
#include "base/spawn.hpp"
#include "plan/machine_id.hpp"
#include "proxmox/vm_files.hpp"

#include <algorithm>

namespace longcord {

namespace {

constexpr milliseconds disk_limit{10'000};
constexpr const char* copies_key = "copies of rules";

std::filesystem::path copies(const Roots& roots) {
    return roots.state() / "rules";
}

using Texts = std::map<unsigned, std::string>;

Result<Texts> read_copies(const std::filesystem::path& folder) {
    Texts texts;
    const auto names = names_in(folder);
    if (!names)
        return texts; // none yet
    for (const auto& name : *names)
        if (const auto vmid = vmid_of(name, ".usb.conf"))
            if (auto text = read_file(folder / name, max_rules_file))
                texts[*vmid] = std::move(*text);
    return texts;
}

} // namespace

RulesBook::RulesBook(
    asio::io_context& loop, const Roots& roots, WorkerPool& pool, Reconciler& reconciler,
    Journal& journal)
    : loop_(loop), roots_(roots), pool_(pool), reconciler_(reconciler), journal_(journal) {}

Task<> RulesBook::load() {
    std::function<Result<Texts>()> job = [folder = copies(roots_)] { return read_copies(folder); };
    const std::string key = copies_key;
    auto texts = co_await pool_.run<Texts>(key, disk_limit, std::move(job));
    if (texts)
        last_good_ = std::move(*texts);
    else
        journal_.problem(texts.error().message);
}

void RulesBook::take(const PveSnapshot& snapshot) {
    for (auto entry = states_.begin(); entry != states_.end();) {
        const unsigned vmid = entry->first;
        const bool stays = snapshot.rules.contains(vmid) || is_machine(vmid);
        entry = stays ? std::next(entry) : states_.erase(entry);
        if (!stays && good_.erase(vmid) > 0)
            keep(vmid, std::nullopt);
    }
    // Without rules there is nothing that could belong to anybody.
    for (auto& [vmid, intent] : reconciler_.world().intents)
        if (!intent.owner.empty() && snapshot.configs.contains(vmid) &&
            !snapshot.rules.contains(vmid)) {
            intent.owner.clear();
            reconciler_.world().unsaved_intents.insert(vmid);
        }
    for (const auto& [vmid, file] : snapshot.rules) {
        const auto known = states_.find(vmid);
        if (known == states_.end() || known->second.text != file.text)
            read(vmid, file);
        RulesState& state = states_[vmid];
        state.file = file.file.string();
        std::string problem = owner_problem(vmid, snapshot);
        for (const auto& other : file.others)
            problem += fmt::format(
                "{}{} is another rules file of VM {}: only {} counts, remove the other",
                problem.empty() ? "" : "; ", other.string(), vmid, state.file);
        if (!problem.empty() && problem != state.problem)
            journal_.vm(vmid, "rules-error", problem);
        state.problem = std::move(problem);
    }
    put_in_force();
}

/// Parses a text that was not seen before.
void RulesBook::read(unsigned vmid, const RulesText& file) {
    auto parsed = parse_rules(file.text);
    for (const auto& diagnostic : parsed.diagnostics)
        journal_.vm(
            vmid, diagnostic.severity == Diagnostic::Severity::error ? "rules-error" : "rules",
            format_diagnostic(file.file.string(), diagnostic));
    const bool usable = parsed.ok();
    states_[vmid] = {file.file.string(), file.text, std::move(parsed.diagnostics), {}};
    if (usable) {
        journal_.vm(vmid, "rules", fmt::format("{} rules in force", parsed.rules.size()));
        good_[vmid] = std::move(parsed.rules);
        keep(vmid, file.text);
        return;
    }
    const auto before = last_good_.find(vmid);
    if (!good_.contains(vmid) && before != last_good_.end())
        if (auto kept = parse_rules(before->second); kept.ok())
            good_[vmid] = std::move(kept.rules);
    journal_.vm(
        vmid, "rules-error",
        good_.contains(vmid) ? "the rules from before stay in force until it is mended"
                             : "no rules apply until the file is mended; what it has, it keeps");
}

/// Empty: they are this VM's, or nobody can tell. From the first time on it is remembered whose.
std::string RulesBook::owner_problem(unsigned vmid, const PveSnapshot& snapshot) {
    strangers_.erase(vmid);
    const auto config = snapshot.configs.find(vmid);
    if (config == snapshot.configs.end() || config->second.uuid.empty() || !good_.contains(vmid))
        return {};
    World& world = reconciler_.world();
    const auto known = world.intents.find(vmid);
    const std::string owner = known == world.intents.end() ? "" : known->second.owner;
    if (owner == config->second.uuid)
        return {};
    if (owner.empty()) {
        world.intents[vmid].owner = config->second.uuid;
        world.unsaved_intents.insert(vmid);
        return {};
    }
    strangers_.insert(vmid);
    return fmt::format(
        "these rules were written for another VM {0} (uuid {1}, now it is {2}) and do not apply: "
        "run \"longcord rules adopt {0}\" if they are meant for this one",
        vmid, owner, config->second.uuid);
}

void RulesBook::set_machine(unsigned id, RulesState state, std::optional<std::vector<Rule>> rules) {
    states_[id] = std::move(state);
    if (rules)
        machines_[id] = std::move(*rules);
    put_in_force();
}

void RulesBook::drop_machine(unsigned id) {
    states_.erase(id);
    machines_.erase(id);
    put_in_force();
}

void RulesBook::put_in_force() {
    World& world = reconciler_.world();
    world.rules.clear();
    world.rules_unread.clear();
    for (const auto& [vmid, rules] : good_)
        if (!strangers_.contains(vmid))
            world.rules.push_back({vmid, rules});
    for (const auto& [vmid, rules] : machines_)
        world.rules.push_back({vmid, rules});
    std::sort(world.rules.begin(), world.rules.end(), [](const VmRules& a, const VmRules& b) {
        return a.vmid < b.vmid;
    });
    for (const auto& [vmid, state] : states_)
        if (!good_.contains(vmid) && !machines_.contains(vmid))
            world.rules_unread.insert(vmid);
}

void RulesBook::keep(unsigned vmid, std::optional<std::string> text) {
    const auto before = last_good_.find(vmid);
    if (text && before != last_good_.end() && before->second == *text)
        return;
    if (text)
        last_good_[vmid] = *text;
    else
        last_good_.erase(vmid);
    to_write_[vmid] = std::move(text);
    if (!std::exchange(writing_, true))
        spawn_guarded(loop_, copies_key, write_copies());
}

/// One batch after the other. What cannot be written is reported; it is only for the next start.
Task<> RulesBook::write_copies() {
    while (!to_write_.empty()) {
        const auto batch = std::exchange(to_write_, {});
        std::function<Result<>()> job = [folder = copies(roots_), batch]() -> Result<> {
            Result<> all;
            for (const auto& [vmid, text] : batch) {
                const auto file = folder / fmt::format("{}.usb.conf", vmid);
                std::error_code error;
                if (!text)
                    std::filesystem::remove(file, error);
                else if (auto written = write_file(file, *text, 0600); !written)
                    all = written;
            }
            return all;
        };
        const std::string key = copies_key;
        const auto written = co_await pool_.run<void>(key, disk_limit, std::move(job));
        if (!written)
            journal_.problem(written.error().message);
    }
    writing_ = false;
}

} // namespace longcord
