// SPDX-License-Identifier: MIT
#include "host/vm_sessions.hpp"

#include "base/spawn.hpp"
#include "plan/changes.hpp"
#include "qmp/plug_id.hpp"
#include "usbip/authorize.hpp"

#include <algorithm>

namespace longcord {

namespace {

/// A write to `authorized` may wait for USB I/O; the kernel gives up after 5 s.
constexpr milliseconds deauthorize_limit{5'500};

/// That a stream flows is known when the action is planned. A session that waits for its greeting
/// longer than this would send the device_del on old knowledge; it is planned anew instead.
constexpr milliseconds unplug_greeting_limit{2'000};

/// An import is deauthorised before QEMU lets go of it.
bool needs_preparation(const Action& action) {
    const auto* unplug = std::get_if<UnplugDevice>(&action);
    return unplug && !unplug->deauthorize.empty();
}

std::optional<VmCommand> command_of(const Action& action) {
    if (const auto* plug = std::get_if<PlugDevice>(&action))
        return plug->command;
    if (const auto* unplug = std::get_if<UnplugDevice>(&action))
        return UnplugCommand{unplug->id};
    if (std::holds_alternative<AddController>(action))
        return AddControllerCommand{};
    return std::nullopt;
}

} // namespace

VmSessions::VmSessions(
    asio::io_context& loop, const Roots& roots, WorkerPool& pool, Reconciler& reconciler,
    Journal& journal, NodeWatch& nodes)
    : loop_(loop), roots_(roots), pool_(pool), reconciler_(reconciler), journal_(journal),
      nodes_(nodes) {}

void VmSessions::enqueue(unsigned vmid, Action action) {
    Queue& queue = queues_[vmid];
    queue.waiting.push_back(std::move(action));
    if (std::exchange(queue.running, true))
        return;
    spawn_guarded(loop_, fmt::format("QMP sessions of VM {}", vmid), serve(vmid));
}

Task<> VmSessions::serve(unsigned vmid) {
    while (!queues_[vmid].waiting.empty()) {
        auto batch = std::exchange(queues_[vmid].waiting, {});
        co_await run_batch(vmid, std::move(batch));
    }
    queues_.erase(vmid);
}

/// QEMU hands a device back to the host's drivers as it lets go of it. One that is not authorised
/// has no configuration, so there is nothing that a driver could bind to (docs/adr/0001).
Task<Result<>> VmSessions::close_host_drivers_out(UnplugDevice unplug) {
    const std::string key = "device " + unplug.deauthorize;
    std::function<Result<>()> job = [roots = roots_, sysname = unplug.deauthorize] {
        return deauthorize_device(roots, sysname);
    };
    auto closed = co_await pool_.run<void>(key, deauthorize_limit, std::move(job));
    if (!closed && closed.error().kind == ErrorKind::not_found)
        closed = Result<>();
    co_return closed;
}

/// The batch without what must not be sent: where an import cannot be deauthorised, a device_del
/// might freeze the VM (its stream stalls) or leave the device to the host's drivers.
Task<std::vector<VmSessions::Asked>> VmSessions::prepared(std::vector<Action> batch) {
    std::vector<Asked> ready;
    const auto begun = Clock::now();
    for (auto& action : batch) {
        Asked asked{std::move(action), begun};
        if (needs_preparation(asked.action)) {
            const auto closed =
                co_await close_host_drivers_out(std::get<UnplugDevice>(asked.action));
            if (!closed) {
                end(asked, closed);
                continue;
            }
        }
        ready.push_back(std::move(asked));
    }
    co_return ready;
}

/// A look is no command: it wants a view that was begun after it was asked for.
std::vector<VmCommand> VmSessions::join(unsigned vmid, std::vector<Asked>& session) {
    std::vector<VmCommand> commands;
    std::vector<Action> later;
    for (auto& action : std::exchange(queues_[vmid].waiting, {})) {
        const auto command = command_of(action);
        if (!command || needs_preparation(action) || !later.empty()) {
            later.push_back(std::move(action));
            continue;
        }
        commands.push_back(*command);
        session.push_back({std::move(action), Clock::now()});
    }
    queues_[vmid].waiting = std::move(later);
    return commands;
}

void VmSessions::end(const Asked& asked, const Result<>& result) {
    const auto took = std::chrono::duration_cast<milliseconds>(Clock::now() - asked.begun);
    journal_.action_ended(asked.action, result, took);
    reconciler_.ended(asked.action, result);
}

Task<> VmSessions::run_batch(unsigned vmid, std::vector<Action> batch) {
    auto session = co_await prepared(std::move(batch));
    if (session.empty())
        co_return;
    std::vector<VmCommand> commands;
    for (const auto& asked : session)
        if (const auto command = command_of(asked.action))
            commands.push_back(*command);

    const auto known = reconciler_.world().vms.find(vmid);
    const int pid = known == reconciler_.world().vms.end() ? 0 : known->second.pid;
    std::filesystem::path socket = roots_.qemu_run() / fmt::format("{}.qmp", vmid);
    if (pid != 0)
        socket = known->second.qmp_socket;
    SessionLimits limits;
    if (std::any_of(session.begin(), session.end(), [](const Asked& asked) {
            return needs_preparation(asked.action);
        }))
        limits.greeting = unplug_greeting_limit;
    World& world = reconciler_.world();
    const auto is_same_run = [&world, vmid, pid] {
        const auto vm = world.vms.find(vmid);
        return vm != world.vms.end() && vm->second.pid == pid;
    };
    Latecomers latecomers = [&] {
        return is_same_run() ? join(vmid, session) : std::vector<VmCommand>();
    };
    const SessionReport report =
        co_await run_session(socket, commands, limits, std::move(latecomers));

    journal_.qmp_session(report.held);
    const bool same_run = is_same_run();
    if (same_run && report.view)
        vm_viewed(world, vmid, *report.view, nodes_open(pid, *report.view), Clock::now());
    else if (same_run)
        vm_not_viewed(world, vmid, Clock::now());
    if (same_run && !report.view)
        journal_.vm(vmid, "warning", report.view.error().message);

    std::size_t next = 0;
    for (const auto& asked : session) {
        Result<> result;
        if (command_of(asked.action)) {
            const Result<> outcome = next < report.outcomes.size()
                                         ? report.outcomes[next]
                                         : fail(ErrorKind::unknown, "VM {}: no answer", vmid);
            ++next;
            result = verified(asked.action, outcome, report.view, vmid);
        }
        end(asked, result);
    }
}

std::set<std::string> VmSessions::nodes_open(int pid, const VmView& view) const {
    std::set<std::string> open;
    for (const auto& device : view.devices) {
        if (!place_of_plug_id(device.id) || device.hostdevice.empty())
            continue;
        if (!has_open(roots_, pid, device.hostdevice))
            continue;
        open.insert(device.hostdevice);
        nodes_.watch(device.hostdevice);
    }
    return open;
}

/// Plugged means: QEMU says attached, and its process has the node open.
Result<> VmSessions::verified(
    const Action& action, const Result<>& outcome, const Result<VmView>& view,
    unsigned vmid) const {
    const auto* plug = std::get_if<PlugDevice>(&action);
    if (!plug || !outcome)
        return outcome;
    if (!view)
        return fail(
            ErrorKind::unknown, "VM {}: QEMU said yes to {}, and then not in time what it has: {}",
            vmid, plug->place.to_string(), view.error().message);
    const World& world = reconciler_.world();
    const auto vm = world.vms.find(vmid);
    if (vm == world.vms.end() || !vm->second.open_nodes.contains(plug->command.hostdevice))
        return fail(
            ErrorKind::unknown, "VM {}: QEMU said yes to {} but does not have {} open", vmid,
            plug->place.to_string(), plug->command.hostdevice);
    return {};
}

} // namespace longcord
