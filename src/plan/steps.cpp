// SPDX-License-Identifier: MIT
#include "plan/steps.hpp"

#include "plan/guards.hpp"
#include "plan/standing.hpp"
#include "plan/stepper.hpp"

#include <algorithm>

namespace longcord {

Step Stepper::run() {
    if (s_.in_flight)
        return in_flight(*s_.in_flight);
    const Device* device = s_.device();
    if (device && device->is_hub()) {
        // Where a device was before, its plug and its import are still to be taken out.
        if (!s_.import && s_.plugs.empty())
            return say(DeviceState::hub, "a hub");
        owner_ = {Ownership::Kind::nobody, 0, nullptr, "a hub is there now"};
    } else {
        owner_ = decide_owner(world_, shared_.rules, place_, s_);
    }
    // QEMU's descriptor is dead already, so it can be told at once, and vhci frees its port
    // meanwhile.
    if (s_.disconnected() && !s_.plugs.empty())
        if (Step out = with_plugs(); out.action)
            return out;
    if (s_.being_removed())
        return say(DeviceState::leaving, "the kernel is removing it");
    if (s_.import_outlived())
        return detach("the Pi no longer has that device");
    if (s_.relayed_to_silence())
        return detach("its Pi is silent");
    if (s_.disconnected())
        return detach("its stream has ended");
    if (not_enumerated_in_time())
        return detach("the kernel did not enumerate it in 3 s", true);
    if (!s_.plugs.empty())
        return with_plugs();
    if (owner_.kind != Ownership::Kind::owned)
        return not_owned();
    return towards_plugged();
}

Step Stepper::say(DeviceState state, std::string why) const {
    Step step;
    step.outcome.state = state;
    step.outcome.why = std::move(why);
    if (owner_.kind == Ownership::Kind::owned)
        step.outcome.vmid = owner_.vmid;
    return step;
}

Step Stepper::say_until(DeviceState state, std::string why, TimePoint wake) const {
    Step step = say(state, std::move(why));
    step.wake = wake;
    return step;
}

Step Stepper::act(DeviceState state, Action action, std::string why) const {
    Step step = say(state, std::move(why));
    step.action = std::move(action);
    return step;
}

Step Stepper::in_flight(const Action& action) const {
    Step step = say(DeviceState::plugging, to_string(action));
    if (std::holds_alternative<ImportDevice>(action) ||
        std::holds_alternative<AuthorizeImport>(action))
        step.outcome.state = DeviceState::importing;
    if (std::holds_alternative<UnplugDevice>(action) ||
        std::holds_alternative<DetachImport>(action))
        step.outcome.state = DeviceState::leaving;
    if (const auto* plug = std::get_if<PlugDevice>(&action))
        step.outcome.vmid = plug->vmid;
    if (std::holds_alternative<LookAtUse>(action))
        return looking_at_use(std::move(step));
    return step;
}

Step Stepper::with_plugs() const {
    const SeenPlug* right = nullptr;
    std::optional<Step> waiting;
    for (const auto& plug : s_.plugs) {
        const auto why = why_take_out(plug);
        if (!why) {
            right = right ? right : &plug;
            continue;
        }
        Step step = take_out(plug, *why);
        if (step.action)
            return step;
        if (!waiting)
            waiting = std::move(step);
    }
    if (!right)
        return *waiting;
    Step step = plugged(*right);
    if (waiting)
        step.wake = waiting->wake;
    return step;
}

std::optional<std::string> Stepper::why_take_out(const SeenPlug& plug) const {
    const LocalDevice* openable = s_.openable();
    if (!openable)
        return "the device is gone";
    if (!plug.device->hostport.empty())
        return std::nullopt; // made by another script: replaced when the device is replugged
    if (standing(world_, plug.vmid) == Standing::leaving)
        return world_.quiesced.contains(plug.vmid) ? "the VM is quiesced"
                                                   : "the VM is being migrated";
    if (owner_.kind == Ownership::Kind::nobody ||
        (owner_.kind == Ownership::Kind::conflict && !owner_.holder_wants))
        return owner_.why;
    if (owner_.kind == Ownership::Kind::owned && owner_.vmid != plug.vmid)
        return owner_.why + " has the stronger rule";
    if (owner_.kind == Ownership::Kind::owned && !owner_.rule->force)
        if (auto why = named_by_usb_line(world_, s_))
            return why;
    if (plug.device->hostdevice != world_.node_of(openable->device))
        return "the device was plugged in anew";
    if (standing(world_, plug.vmid) != Standing::open)
        return std::nullopt; // QEMU opens devices only while it runs
    if (!plug.device->attached ||
        !world_.vms.at(plug.vmid).open_nodes.contains(world_.node_of(openable->device)))
        return "QEMU has let go of the device";
    if (s_.import && !s_.import->ready)
        return "its interfaces are not authorised";
    return std::nullopt;
}

Step Stepper::take_out(const SeenPlug& plug, const std::string& why) const {
    // Order matters: a device_del on a stalled import freezes the whole VM. If nobody can say
    // that the stream still flows, vhci lets go first and QEMU is told after.
    if (s_.stream_in_doubt())
        return detach(why);
    const Vm& vm = world_.vms.at(plug.vmid);
    const auto now_allowed = standing(world_, plug.vmid);
    if (vm.stale)
        return say(DeviceState::leaving, fmt::format("asking VM {}: {}", plug.vmid, why));
    if (now_allowed == Standing::keeping && s_.openable())
        return say(
            DeviceState::waiting,
            fmt::format("VM {} keeps it while it is locked or paused", plug.vmid));
    if (vm.view->state != RunState::running) // a session says nothing else to it, either
        return say(
            DeviceState::waiting,
            fmt::format(
                "VM {} is {}: it comes out when it runs", plug.vmid, to_string(vm.view->state)));
    if (const auto wait = backing_off())
        return *wait;
    UnplugDevice unplug{place_, plug.vmid, plug.device->id, {}, {}};
    if (s_.import && s_.import->local) {
        unplug.deauthorize = s_.import->local->sysfs_path;
        unplug.vhci_port = s_.vhci_port;
    }
    return act(DeviceState::leaving, std::move(unplug), why);
}

Step Stepper::detach(std::string why, bool in_vain) const {
    DetachImport action{place_, s_.vhci_port, why, in_vain};
    return act(DeviceState::leaving, std::move(action), std::move(why));
}

Step Stepper::plugged(const SeenPlug& plug) const {
    Step step = say(DeviceState::plugged, {});
    step.outcome.vmid = plug.vmid;
    const std::string& port = plug.device->port;
    step.outcome.guest_port = parse_port(port);
    if (!plug.device->hostport.empty())
        step.outcome.why = "plugged by another script; ours from the next replug on";
    if (const LocalDevice* openable = s_.openable())
        step.outcome.in_use_by_guest =
            std::find(openable->drivers.begin(), openable->drivers.end(), "usbfs") !=
            openable->drivers.end();
    return step;
}

std::optional<unsigned> Stepper::parse_port(const std::string& port) {
    const auto path = PortPath::parse(port);
    return path ? std::optional(path->ports.front()) : std::nullopt;
}

TimePoint Stepper::enumeration_end(const Import& import) {
    return import.since + enumeration_limit;
}

bool Stepper::not_enumerated_in_time() const {
    return s_.import && !s_.import->enumerated && now_ >= enumeration_end(*s_.import) &&
           !enumerated_before(world_, s_.vhci_port, *s_.import);
}

Step Stepper::enumerating(DeviceState state, std::string why) const {
    const Import* before = enumerated_before(world_, s_.vhci_port, *s_.import);
    const TimePoint end = enumeration_end(before ? *before : *s_.import);
    return end > now_ ? say_until(state, std::move(why), end) : say(state, std::move(why));
}

Step Stepper::not_owned() const {
    switch (owner_.kind) {
    case Ownership::Kind::conflict:
        return s_.import ? detach(owner_.why) : say(DeviceState::conflict, owner_.why);
    case Ownership::Kind::wait:
        if (s_.import && !s_.import->local)
            return enumerating(DeviceState::waiting, owner_.why);
        return say(DeviceState::waiting, owner_.why);
    default:
        return s_.import ? detach(owner_.why) : say(DeviceState::unclaimed, owner_.why);
    }
}

Step next_step(
    const World& world, const Place& place, const Situation& situation, Shared& shared,
    TimePoint now) {
    return Stepper(world, place, situation, shared, now).run();
}

} // namespace longcord
