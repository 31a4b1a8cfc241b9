// SPDX-License-Identifier: MIT
#include "plan/planner.hpp"

#include "plan/machine_id.hpp"
#include "plan/steps.hpp"

#include <algorithm>

namespace longcord {

std::string_view to_string(DeviceState state) noexcept {
    switch (state) {
    case DeviceState::unclaimed:
        return "unclaimed";
    case DeviceState::waiting:
        return "waiting";
    case DeviceState::importing:
        return "importing";
    case DeviceState::plugging:
        return "plugging";
    case DeviceState::plugged:
        return "plugged";
    case DeviceState::leaving:
        return "leaving";
    case DeviceState::held_off:
        return "held_off";
    case DeviceState::conflict:
        return "conflict";
    case DeviceState::refused:
        return "refused";
    case DeviceState::hub:
        return "hub";
    }
    return "?";
}

namespace {

bool attached_by_hand(const World& world, unsigned vmid) {
    const auto intent = world.intents.find(vmid);
    return intent != world.intents.end() && !intent->second.attached.empty();
}

bool may_have_something(const World& world, unsigned vmid) {
    return std::any_of(
        world.doubtful_plugs.begin(), world.doubtful_plugs.end(),
        [&](const auto& doubt) { return doubt.second == vmid; });
}

/// A VM is asked once when it appears (it may hold what no rule wants any more), and after that
/// when something happened that concerns it.
void look_at_vms(const World& world, const RulesIndex& rules, TimePoint now, Plan& plan) {
    for (const auto& [vmid, vm] : world.vms) {
        if (vm.looking)
            continue;
        const bool matters = !vm.view || rules.has_rules(vmid) || !vm.view->devices.empty() ||
                             world.quiesced.contains(vmid) || attached_by_hand(world, vmid) ||
                             may_have_something(world, vmid);
        const bool not_running = vm.view && vm.view->state != RunState::running;
        if (!matters || !(vm.stale || not_running))
            continue;
        TimePoint when = vm.look_backoff.retry_at();
        if (!vm.stale)
            when = std::max(when, vm.look_again);
        if (now >= when)
            plan.actions.emplace_back(LookAtVm{vmid});
        else
            plan.wake_at(when);
    }
}

/// Somebody types a device_del in the monitor, or adds a controller there, and nothing tells.
void look_for_ports(const World& world, const Shared& shared, TimePoint now, Plan& plan) {
    for (const unsigned vmid : shared.short_of_ports) {
        const Vm& vm = world.vms.at(vmid);
        if (vm.looking || vm.stale)
            continue;
        if (vm.ports_backoff.may_try(now))
            plan.actions.emplace_back(LookAtVm{vmid});
        else
            plan.wake_at(vm.ports_backoff.retry_at());
    }
}

/// Only where somebody said so: it poisons migration and RAM snapshots.
void add_controllers(const World& world, const Shared& shared, TimePoint now, Plan& plan) {
    if (!world.hot_add)
        return;
    for (const unsigned vmid : shared.without_controller) {
        const Vm& vm = world.vms.at(vmid);
        if (vm.adding_controller || is_machine(vmid)) // those have no bridge pci.1
            continue;
        if (vm.add_backoff.may_try(now))
            plan.actions.emplace_back(AddController{vmid});
        else
            plan.wake_at(vm.add_backoff.retry_at());
    }
}

} // namespace

Plan plan(const World& world, TimePoint now) {
    Plan plan;
    if (!world.complete())
        return plan;
    const RulesIndex rules(world.rules);
    look_at_vms(world, rules, now, plan);
    Shared shared{rules, GuestPorts(world), vhci_ports_taken(world)};
    for (const auto& [vmid, vm] : world.vms)
        if (vm.was_there && !vm.view)
            shared.unheard = vmid;
    for (const auto& [place, situation] : situations(world)) {
        Step step = next_step(world, place, situation, shared, now);
        if (step.wake)
            plan.wake_at(*step.wake);
        if (step.action)
            plan.actions.push_back(std::move(*step.action));
        plan.outcomes.emplace(place, std::move(step.outcome));
    }
    look_for_ports(world, shared, now, plan);
    add_controllers(world, shared, now, plan);
    return plan;
}

} // namespace longcord
