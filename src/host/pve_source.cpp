// SPDX-License-Identifier: MIT
#include "host/pve_source.hpp"

#include "plan/changes.hpp"
#include "plan/guards.hpp"
#include "rules/parse.hpp"

#include <algorithm>

namespace longcord {

PveSource::PveSource(
    asio::io_context& loop, const Roots& roots, WorkerPool& pool, Reconciler& reconciler,
    Journal& journal, NodeWatch& nodes)
    : reconciler_(reconciler), journal_(journal), nodes_(nodes), registry_(loop, roots),
      config_(loop, pool, roots), hooks_(loop, roots) {}

Task<> PveSource::watch_vms() {
    for (;;) {
        const auto running = co_await registry_.next();
        World& world = reconciler_.world();
        std::map<unsigned, int> before;
        for (const auto& [vmid, vm] : world.vms)
            before[vmid] = vm.pid;
        vms_running(world, running);
        vms_configured(world, configs_);
        for (const auto& vm : running)
            if (!before.contains(vm.vmid) || before[vm.vmid] != vm.pid)
                journal_.vm(vm.vmid, "vm-started", fmt::format("QEMU runs, pid {}", vm.pid));
        for (const auto& [vmid, pid] : before)
            if (!world.vms.contains(vmid))
                journal_.vm(vmid, "vm-stopped", "QEMU has exited");
        reconciler_.wake();
    }
}

Task<> PveSource::watch_config() {
    for (;;) {
        const auto snapshot = co_await config_.next();
        configs_ = snapshot.configs;
        proxmox_ = snapshot.present;
        vms_configured(reconciler_.world(), configs_);
        reconciler_.world().native =
            native_uses(configs_, snapshot.mappings, reconciler_.world().node);
        take_rules(snapshot.rules);
        reconciler_.world().knows_rules = true;
        reconciler_.wake();
    }
}

/// A file that does not parse keeps the rules that VM had before; a file that is gone takes them.
void PveSource::take_rules(const std::map<unsigned, RulesText>& files) {
    World& world = reconciler_.world();
    std::erase_if(rules_, [&](const auto& entry) { return !files.contains(entry.first); });
    std::erase_if(world.rules, [&](const VmRules& vm) { return !files.contains(vm.vmid); });
    std::erase_if(world.rules_unread, [&](unsigned vmid) { return !files.contains(vmid); });
    for (const auto& [vmid, file] : files) {
        const auto known = rules_.find(vmid);
        if (known == rules_.end() || known->second.text != file.text)
            take_file(vmid, file);
    }
}

void PveSource::take_file(unsigned vmid, const RulesText& file) {
    auto parsed = parse_rules(file.text);
    for (const auto& diagnostic : parsed.diagnostics)
        journal_.vm(
            vmid, diagnostic.severity == Diagnostic::Severity::error ? "rules-error" : "rules",
            format_diagnostic(file.file.string(), diagnostic));
    const bool usable = parsed.ok();
    rules_[vmid] = {file.file.string(), file.text, std::move(parsed.diagnostics)};
    auto& all = reconciler_.world().rules;
    auto vm = std::find_if(
        all.begin(), all.end(), [&](const VmRules& entry) { return entry.vmid == vmid; });
    if (!usable) {
        if (vm == all.end())
            reconciler_.world().rules_unread.insert(vmid);
        journal_.vm(
            vmid, "rules-error",
            vm == all.end() ? "no rules apply until the file is mended; what it has, it keeps"
                            : "the rules from before stay in force until it is mended");
        return;
    }
    reconciler_.world().rules_unread.erase(vmid);
    journal_.vm(vmid, "rules", fmt::format("{} rules in force", parsed.rules.size()));
    if (vm == all.end()) {
        all.push_back({vmid, std::move(parsed.rules)});
        std::sort(all.begin(), all.end(), [](const VmRules& a, const VmRules& b) {
            return a.vmid < b.vmid;
        });
    } else {
        vm->rules = std::move(parsed.rules);
    }
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
