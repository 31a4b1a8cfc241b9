// SPDX-License-Identifier: MIT
#include "host/intent_store.hpp"

#include "base/files.hpp"
#include "base/spawn.hpp"
#include "plan/backoff.hpp"
#include "plan/by_hand.hpp"
#include "plan/machine_id.hpp"
#include "proxmox/vm_files.hpp"

namespace longcord {

namespace {

constexpr milliseconds write_limit{5'000};
constexpr milliseconds load_limit{10'000};

using Texts = std::map<unsigned, std::string>;

/// The number in "100.json"; machines have numbers above Proxmox' own.
std::optional<unsigned> number_of(const std::string& name) {
    const auto vmid = vmid_of(name, ".json");
    return vmid ? vmid : machine_id_of_file(name);
}

Result<Texts> read_folder(const std::filesystem::path& folder) {
    Texts texts;
    const auto names = names_in(folder);
    if (!names)
        return texts; // none yet
    for (const auto& name : *names)
        if (const auto number = number_of(name))
            if (auto text = read_file(folder / name, largest_intent))
                texts[*number] = std::move(*text);
    return texts;
}

} // namespace

IntentStore::IntentStore(
    asio::io_context& loop, const Roots& roots, WorkerPool& pool, Reconciler& reconciler,
    Journal& journal)
    : loop_(loop), roots_(roots), pool_(pool), reconciler_(reconciler), journal_(journal) {}

Task<> IntentStore::load_local() {
    std::function<Result<Texts>()> job = [folder = roots_.state() / "vm"] {
        return read_folder(folder);
    };
    const std::string key = "intents";
    auto texts = co_await pool_.run<Texts>(key, load_limit, std::move(job));
    if (!texts) {
        journal_.problem(texts.error().message);
        co_return;
    }
    for (const auto& [vmid, text] : *texts)
        if (auto intent = parse_intent(text)) {
            reconciler_.world().intents[vmid] = std::move(*intent);
            known_[vmid] = text;
        }
    index_by_hand(reconciler_.world());
}

void IntentStore::take(const PveSnapshot& snapshot) {
    World& world = reconciler_.world();
    const bool first = !std::exchange(proxmox_, snapshot.present) && snapshot.present;
    if (first) // what lies in /var/lib from before it was a Proxmox node says nothing
        std::erase_if(world.intents, [](const auto& entry) { return !is_machine(entry.first); });
    here_.clear();
    for (const auto& [vmid, config] : snapshot.configs)
        here_[vmid] = config.uuid;
    for (const auto& [vmid, text] : snapshot.intents) {
        if (const auto known = known_.find(vmid); known != known_.end() && known->second == text)
            continue;
        known_[vmid] = text;
        auto intent = parse_intent(text);
        if (!intent) {
            journal_.vm(
                vmid, "warning",
                fmt::format(
                    "{}: {}; it is not used", file_of(vmid).string(), intent.error().message));
            continue;
        }
        // Of a VM that runs here we know better, but for whom its rules are.
        const bool ours = !first && world.intents.contains(vmid) && world.vms.contains(vmid);
        if (ours)
            world.intents[vmid].owner = intent->owner;
        else
            world.intents[vmid] = std::move(*intent);
        if (format_intent(world.intents[vmid]) != text)
            world.unsaved_intents.insert(vmid);
        else
            world.unsaved_intents.erase(vmid);
    }
    for (const auto& [vmid, uuid] : here_)
        forget_another_vms_hands(vmid, uuid);
    index(snapshot);
}

void IntentStore::index(const PveSnapshot& snapshot) {
    World& world = reconciler_.world();
    world.vms_elsewhere.clear();
    world.vms_nowhere.clear();
    for (const auto& [vmid, intent] : world.intents)
        if (snapshot.present && !is_machine(vmid) && !here_.contains(vmid))
            (snapshot.vmids.contains(vmid) ? world.vms_elsewhere : world.vms_nowhere).insert(vmid);
    index_by_hand(world);
}

/// Whoever attached something meant the VM of then, not one that has its number now.
void IntentStore::forget_another_vms_hands(unsigned vmid, const std::string& uuid) {
    World& world = reconciler_.world();
    const auto known = world.intents.find(vmid);
    if (known == world.intents.end() || uuid.empty() || known->second.by_hand_for.empty() ||
        known->second.by_hand_for == uuid)
        return;
    VmIntent& intent = known->second;
    if (intent.has_by_hand())
        journal_.vm(
            vmid, "by-hand",
            fmt::format(
                "what was attached and detached by hand is forgotten: that was another VM {} "
                "(uuid {}, now it is {})",
                vmid, intent.by_hand_for, uuid));
    intent.attached.clear();
    intent.detached.clear();
    intent.forced.clear();
    intent.by_hand_for.clear();
    world.unsaved_intents.insert(vmid);
}

bool IntentStore::ours_to_write(unsigned vmid) const {
    return is_machine(vmid) || !proxmox_ || here_.contains(vmid);
}

std::filesystem::path IntentStore::file_of(unsigned vmid) const {
    const auto folder =
        proxmox_ && !is_machine(vmid) ? roots_.pve() / "longcord/vm" : roots_.state() / "vm";
    return folder / fmt::format("{}.json", vmid);
}

void IntentStore::save_changes() {
    const auto changed = std::exchange(reconciler_.world().unsaved_intents, {});
    for (const unsigned vmid : changed) {
        if (!ours_to_write(vmid))
            continue;
        VmIntent& intent = reconciler_.world().intents[vmid];
        const auto here = here_.find(vmid);
        intent.by_hand_for = intent.has_by_hand() && here != here_.end() ? here->second : "";
        unwritten_.insert(vmid);
        if (saving_.insert(vmid).second)
            spawn_guarded(loop_, fmt::format("intent of VM {}", vmid), save(vmid));
    }
}

/// Until the file says what the World does, or the VM has left this node.
Task<> IntentStore::save(unsigned vmid) {
    Backoff patience;
    bool told = false;
    while (unwritten_.contains(vmid) && ours_to_write(vmid)) {
        const std::string text = format_intent(reconciler_.world().intents[vmid]);
        unwritten_.erase(vmid); // whatever changes from here on is another change
        if (known_[vmid] == text)
            continue;
        const auto file = file_of(vmid);
        std::function<Result<>()> job = [file, text] { return write_file(file, text, 0640); };
        const std::string key = "intent " + file.string();
        const auto written = co_await pool_.run<void>(key, write_limit, std::move(job));
        if (written) {
            known_[vmid] = text;
            patience.succeeded();
            continue;
        }
        unwritten_.insert(vmid);
        if (!std::exchange(told, true))
            journal_.vm(
                vmid, "warning",
                fmt::format(
                    "{}; kept in memory, written as soon as that is possible",
                    written.error().message));
        patience.failed(Clock::now());
        const auto pause = std::chrono::ceil<milliseconds>(patience.retry_at() - Clock::now());
        co_await sleep_for(pause);
    }
    unwritten_.erase(vmid);
    saving_.erase(vmid);
}

} // namespace longcord
