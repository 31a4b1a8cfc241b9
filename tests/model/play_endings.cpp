// SPDX-License-Identifier: MIT
// How actions end: as host/importer, host/vm_sessions and host/host_use_source report it, and what
// of it was really done.
#include "cast.hpp"
#include "plan/changes.hpp"
#include "plan/guards.hpp"
#include "play.hpp"

#include <algorithm>

namespace longcord::model {

namespace {

std::optional<unsigned> vm_of(const Action& action) {
    if (const auto* look = std::get_if<LookAtVm>(&action))
        return look->vmid;
    if (const auto* add = std::get_if<AddController>(&action))
        return add->vmid;
    if (const auto* plug = std::get_if<PlugDevice>(&action))
        return plug->vmid;
    if (const auto* unplug = std::get_if<UnplugDevice>(&action))
        return unplug->vmid;
    return std::nullopt;
}

// The ways in which a session, an import or a write ends badly, of 18; the others end well.
constexpr std::uint32_t silent = 5;         ///< no greeting, no connection
constexpr std::uint32_t unknown_done = 6;   ///< done, and nobody heard
constexpr std::uint32_t unknown_undone = 7; ///< not done, and nobody heard
constexpr std::uint32_t refused = 8;
constexpr std::uint32_t not_open = 9; ///< QEMU says yes and does not have it
constexpr std::uint32_t not_deauthorised = 10;
constexpr std::uint32_t ways = 18;

Error no_answer() {
    return fail(ErrorKind::unknown, "no answer");
}

} // namespace

void Play::ended(const Action& action, const Result<>& result) {
    note(fmt::format(
        "  ended: {}: {}", to_string(action), result ? "done" : result.error().message));
    action_ended(world_, action, result, now_);
}

void Play::end(std::size_t number, std::uint32_t how) {
    if (running_.empty())
        return;
    number %= running_.size();
    how %= ways;
    if (const auto vmid = vm_of(running_[number].action))
        return end_session(*vmid, how);
    Running one = running_[number];
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(number));
    Result<> result;
    if (std::holds_alternative<ImportDevice>(one.action)) {
        result = end_import(one, how);
    } else if (const auto* authorize = std::get_if<AuthorizeImport>(&one.action)) {
        if (outside_.is_another(authorize->sysname, authorize->place))
            broken("authorised is another device than " + authorize->place.to_string());
        if (how == refused)
            result = fail(ErrorKind::system, "no bandwidth");
        else if (how != unknown_undone)
            result = outside_.authorize(*authorize);
        if (how == unknown_done || how == unknown_undone)
            result = no_answer();
    } else if (const auto* detach = std::get_if<DetachImport>(&one.action)) {
        result = end_detach(*detach, how);
    } else {
        result = end_look_at_use(std::get<LookAtUse>(one.action), how);
    }
    ended(one.action, result);
}

// --- imports ---

Result<> Play::can_import(const ImportDevice& action) {
    RealPi& pi = outside_.pis[action.place.pi];
    const auto device = pi.devices.find(action.place);
    if (!pi.linked || device == pi.devices.end())
        return fail(ErrorKind::unavailable, "no stream");
    if (pi.elsewhere.contains(action.place)) {
        if (!pi.plain) {
            pi.told_busy.insert(action.place);
            pi_busy(world_, action.place, "pve2 has it");
        }
        return fail(ErrorKind::busy, "another node has it");
    }
    if (outside_.port_of(action.place))
        return fail(ErrorKind::busy, "this node has it");
    const Device* announced = world_.announced_at(action.place);
    if (!announced || devid_of(*announced) != devid_of(device->second))
        return fail(ErrorKind::protocol, "it is another one");
    return {};
}

/// The World is told before the kernel has it.
Result<> Play::attach(const ImportDevice& action) {
    Import import;
    import.place = action.place;
    import.devid = devid_of(outside_.pis[action.place.pi].devices.at(action.place));
    import.since = now_;
    import.engine = action.plain                 ? std::nullopt
                    : action.place.pi == "attic" ? std::optional(SealEngine::user)
                                                 : std::optional(SealEngine::kernel);
    import_found(world_, action.vhci_port, import);
    return outside_.attach(action);
}

void Play::half(std::size_t number) {
    if (running_.empty())
        return;
    Running& one = running_[number % running_.size()];
    const auto* import = std::get_if<ImportDevice>(&one.action);
    if (!import || one.attached || !can_import(*import))
        return;
    one.attached = attach(*import).has_value();
    if (!one.attached)
        world_.imports.erase(import->vhci_port);
}

Result<> Play::end_import(Running& running, std::uint32_t how) {
    const auto& action = std::get<ImportDevice>(running.action);
    if (running.attached)
        return how == unknown_done ? Result<>(no_answer()) : Result<>();
    if (how == silent)
        return fail(ErrorKind::unavailable, "no stream");
    if (auto can = can_import(action); !can)
        return can;
    if (how == unknown_undone) { // noted, and then not attached
        const Device& device = outside_.pis[action.place.pi].devices.at(action.place);
        Import import;
        import.place = action.place;
        import.devid = devid_of(device);
        import.since = now_;
        import_found(world_, action.vhci_port, std::move(import));
        return no_answer();
    }
    const auto attached = attach(action);
    if (!attached || how == refused) {
        world_.imports.erase(action.vhci_port);
        if (attached)
            outside_.ports.erase(action.vhci_port); // it never was
        return attached ? Result<>(fail(ErrorKind::system, "attach failed")) : attached;
    }
    return how == unknown_done ? Result<>(no_answer()) : Result<>();
}

Result<> Play::end_detach(const DetachImport& action, std::uint32_t how) {
    if (how == refused)
        return fail(ErrorKind::system, "detach failed");
    if (how == unknown_undone)
        return no_answer();
    if (const auto there = outside_.ports.find(action.vhci_port); there != outside_.ports.end()) {
        if (!there->second.ours || there->second.place != action.place)
            broken(fmt::format(
                "port {} was detached, which has something else than {}", action.vhci_port,
                action.place.to_string()));
        outside_.frees(action.vhci_port);
    }
    if (how == unknown_done)
        return no_answer();
    world_.vhci = outside_.vhci_table();
    if (action.place.pi == plain_pi)
        plain_stream_ended(action.place);
    return {};
}

Result<> Play::end_look_at_use(const LookAtUse& action, std::uint32_t how) {
    const auto local = outside_.locals.find(action.place);
    if (how == refused || local == outside_.locals.end())
        return fail(ErrorKind::not_found, "it cannot be read");
    HostUse use = outside_.uses.contains(action.place) ? outside_.uses.at(action.place) : HostUse{};
    use.devnum = local->second.device.devnum;
    for (const auto& [vmid, qemu] : outside_.qemus)
        if (outside_.view(vmid).second.contains(action.node))
            use.openers.push_back({qemu.pid, "kvm"});
    use_seen(world_, action.place, use, now_);
    return {};
}

// --- sessions ---

Result<> Play::in_qemu(const Action& action) {
    const auto vmid = vm_of(action);
    if (!vmid || !outside_.qemus.contains(*vmid))
        return fail(ErrorKind::unavailable, "no QEMU");
    if (outside_.qemus.at(*vmid).state != RunState::running &&
        !std::holds_alternative<LookAtVm>(action))
        return fail(ErrorKind::unavailable, "VM is not running");
    if (const auto* plug = std::get_if<PlugDevice>(&action))
        return outside_.plug(*plug);
    if (const auto* unplug = std::get_if<UnplugDevice>(&action))
        return outside_.unplug(*unplug);
    if (const auto* add = std::get_if<AddController>(&action))
        return outside_.add_controller(*add);
    return {};
}

/// All that waits for this VM, in one visit.
void Play::end_session(unsigned vmid, std::uint32_t how) {
    std::vector<Action> batch;
    std::erase_if(running_, [&](const Running& one) {
        if (vm_of(one.action) != vmid)
            return false;
        batch.push_back(one.action);
        return true;
    });
    std::vector<Action> ready;
    for (const auto& action : batch) {
        const auto* unplug = std::get_if<UnplugDevice>(&action);
        if (unplug && !unplug->deauthorize.empty()) {
            if (how == not_deauthorised) {
                ended(action, no_answer());
                continue;
            }
            if (outside_.is_another(unplug->deauthorize, unplug->place))
                broken("deauthorised is another device than " + unplug->place.to_string());
            outside_.deauthorize(unplug->deauthorize);
        }
        ready.push_back(action);
    }
    const auto qemu = outside_.qemus.find(vmid);
    const auto known = world_.vms.find(vmid);
    const bool there = qemu != outside_.qemus.end() && known != world_.vms.end() &&
                       known->second.pid == qemu->second.pid && how != silent;
    const bool times_out = how == unknown_done || how == unknown_undone;
    std::vector<Result<>> results;
    for (const auto& action : ready) {
        const bool first = results.empty();
        if (!there || (times_out && !first)) {
            results.emplace_back(fail(ErrorKind::timeout, "not begun"));
        } else if (first && (how == refused || how == unknown_undone)) {
            results.emplace_back(
                how == refused ? fail(ErrorKind::refused, "QEMU says no") : no_answer());
        } else {
            results.push_back(in_qemu(action));
            if (first && how == unknown_done)
                results.back() = no_answer();
            if (how == not_open && results.back() && std::holds_alternative<PlugDevice>(action)) {
                qemu->second.devices.back().attached = false;
                results.back() = no_answer();
            }
        }
    }
    if (there && !times_out) {
        auto [view, open] = outside_.view(vmid);
        vm_viewed(world_, vmid, std::move(view), std::move(open), now_);
    } else {
        vm_not_viewed(world_, vmid, now_);
    }
    for (std::size_t i = 0; i < ready.size(); ++i)
        ended(ready[i], results[i]);
}

} // namespace longcord::model
