// SPDX-License-Identifier: MIT
#include "host/pve_source.hpp"

#include "base/spawn.hpp"
#include "plan/changes.hpp"
#include "plan/guards.hpp"
#include "plan/unloadable_ram.hpp"

#include <algorithm>

namespace longcord {

/// /etc/pve answers at once, or waits for the cluster.
static constexpr milliseconds move_limit{5'000};
/// Nothing tells when a directory can be written again; the file is read where it lies meanwhile.
static constexpr milliseconds move_retry{10'000};

PveSource::PveSource(
    asio::io_context& loop, const Roots& roots, WorkerPool& pool, Reconciler& reconciler,
    Journal& journal, NodeWatch& nodes, IntentStore& intents, RulesBook& rules, VmRoster& roster)
    : loop_(loop), roots_(roots), pool_(pool), reconciler_(reconciler), journal_(journal),
      nodes_(nodes), registry_(loop, roots), config_(loop, pool, roots), hooks_(loop, roots),
      intents_(intents), rules_(rules), roster_(roster) {}

Task<> PveSource::watch_vms() {
    for (;;) {
        const auto running = co_await registry_.next();
        roster_.proxmox(running);
    }
}

Task<> PveSource::watch_config() {
    co_await rules_.load();
    co_await intents_.load_local();
    for (;;) {
        seen_ = co_await config_.next();
        World& world = reconciler_.world();
        roster_.configured(seen_.configs);
        world.native = native_uses(seen_.configs, seen_.mappings, world.node);
        intents_.take(seen_);
        tell_unloadable(saved_ram_seen(world, seen_.configs));
        rules_.take(seen_);
        world.knows_rules = true;
        bring_rules_home();
        reconciler_.wake();
    }
}

void PveSource::tell_unloadable(const std::vector<unsigned>& noted) {
    for (const unsigned vmid : noted)
        journal_.vm(
            vmid, "warning",
            how_to_load(vmid, reconciler_.world().intents[vmid].unloadable.back()));
}

/// Rules that lie where their VM ran before follow it, once Proxmox has done with moving it.
void PveSource::bring_rules_home() {
    for (const auto& [vmid, rules] : seen_.rules) {
        const auto config = seen_.configs.find(vmid);
        if (!rules.elsewhere || !seen_.quorate || config == seen_.configs.end() ||
            config->second.lock != VmLock::none || !moving_.insert(vmid).second)
            continue;
        spawn_guarded(loop_, fmt::format("rules of VM {}", vmid), bring_home(vmid, rules.file));
    }
}

Task<> PveSource::bring_home(unsigned vmid, std::filesystem::path from) {
    const auto to = roots_.pve() / "qemu-server" / fmt::format("{}.usb.conf", vmid);
    std::function<Result<>()> job = [from, to]() -> Result<> {
        std::error_code error;
        if (std::filesystem::exists(to, error))
            return fail(ErrorKind::busy, "{} is there already", to.string());
        std::filesystem::rename(from, to, error);
        if (error)
            return fail_errno(
                error.value(), fmt::format("move {} to {}", from.string(), to.string()));
        return {};
    };
    const std::string key = "move " + from.string();
    const auto moved = co_await pool_.run<void>(key, move_limit, std::move(job));
    if (moved) {
        told_stuck_.erase(vmid);
        journal_.vm(vmid, "rules", fmt::format("{} followed its VM to this node", from.string()));
    } else {
        if (told_stuck_.insert(vmid).second)
            journal_.vm(
                vmid, "warning",
                fmt::format("{}; it is read where it lies", moved.error().message));
        co_await sleep_for(move_retry);
    }
    moving_.erase(vmid);
    if (!moved)
        bring_rules_home();
}

Task<> PveSource::watch_hooks() {
    for (;;) {
        const auto notes = co_await hooks_.next();
        for (const auto& note : notes)
            vm_touched(reconciler_.world(), note.vmid);
        reconciler_.wake();
    }
}

Task<> PveSource::watch_nodes() {
    for (;;) {
        const std::string node = co_await nodes_.closed();
        World& world = reconciler_.world();
        for (auto& [vmid, vm] : world.vms)
            if (vm.open_nodes.contains(node))
                vm_touched(world, vmid);
        node_closed(world, node);
        reconciler_.wake();
    }
}

} // namespace longcord
