// SPDX-License-Identifier: MIT
// The steps by which a device gets into its VM.
#include "plan/guards.hpp"
#include "plan/stepper.hpp"
#include "qmp/plug_id.hpp"
#include "usbip/compare.hpp"

#include <algorithm>

namespace longcord {

Step Stepper::towards_plugged() {
    const Vm& vm = world_.vms.at(owner_.vmid);
    if (vm.stale)
        return say(DeviceState::waiting, fmt::format("asking VM {}", owner_.vmid));
    if (const auto other = may_be_in())
        return say(
            DeviceState::waiting, fmt::format("VM {} may have it and does not answer yet", *other));
    if (s_.history) {
        if (const auto until = s_.history->removals.held_until(now_))
            return say_until(
                DeviceState::held_off, "somebody removed it from the VM again and again", *until);
        if (const auto until = s_.history->replugs.held_until(now_))
            return say_until(
                DeviceState::held_off, "it comes and goes: check cable and power", *until);
    }
    if (const auto* busy = s_.import ? nullptr : s_.busy_elsewhere(place_))
        return say(DeviceState::waiting, busy->why);
    if (const auto wait = backing_off())
        return *wait;
    if (!owner_.rule->force)
        if (const auto why = named_by_usb_line(world_, s_))
            return say(DeviceState::refused, *why);
    return s_.local ? local() : remote();
}

std::optional<unsigned> Stepper::may_be_in() const {
    if (const auto doubt = world_.doubtful_plugs.find(place_); doubt != world_.doubtful_plugs.end())
        return doubt->second;
    // A local device without `force` is looked at before it is plugged, and shows who has it.
    const bool from_before = s_.import ? s_.import->found : s_.local && owner_.rule->force;
    return from_before ? shared_.unheard : std::nullopt;
}

Step Stepper::local() {
    const auto port = guest_port();
    if (!port) // and then it need not be looked at again and again, either
        return no_port(port.error());
    if (!owner_.rule->force)
        if (auto no = guarded()) {
            shared_.guest_ports.give_back(owner_.vmid, *port);
            return std::move(*no);
        }
    return plug_at(*s_.local, *port);
}

std::optional<Step> Stepper::guarded() const {
    const LookAtUse look{place_, s_.local->sysfs_path, world_.node_of(s_.local->device)};
    const SeenUse* seen = known_use(world_, place_);
    const auto why =
        seen ? used_by_host(world_, owner_.vmid, seen->use) : std::optional<std::string>();
    if (!why) {
        if (seen && !seen->stale && now_ - seen->read < use_believed)
            return std::nullopt;
        return act(DeviceState::plugging, look, "looking whether this host uses it");
    }
    const TimePoint next = seen->stale
                               ? std::min(seen->read + looks_apart, seen->patience.retry_at())
                               : seen->patience.retry_at();
    if (now_ >= next)
        return act(DeviceState::refused, look, *why);
    return say_until(DeviceState::refused, *why, next);
}

Step Stepper::looking_at_use(Step step) const {
    const Ownership owner = decide_owner(world_, shared_.rules, place_, s_);
    const SeenUse* seen = known_use(world_, place_);
    if (!seen || owner.kind != Ownership::Kind::owned)
        return step;
    step.outcome.vmid = owner.vmid;
    if (const auto why = used_by_host(world_, owner.vmid, seen->use)) {
        step.outcome.state = DeviceState::refused;
        step.outcome.why = *why;
    }
    return step;
}

std::optional<Step> Stepper::backing_off() const {
    if (!s_.history || s_.history->backoff.may_try(now_))
        return std::nullopt;
    return say_until(DeviceState::waiting, s_.history->last_error, s_.history->backoff.retry_at());
}

std::optional<unsigned> Stepper::wanted_configuration() const {
    if (s_.import->guest_configuration)
        return s_.import->guest_configuration;
    if (owner_.rule->configuration)
        return owner_.rule->configuration;
    const bool windows = world_.vms.at(owner_.vmid).ostype.starts_with('w'); // qm(1), ostype
    return windows && s_.announced->configurations > 1 ? std::optional(1U) : std::nullopt;
}

Step Stepper::remote() {
    if (!s_.import)
        return import_it();
    if (!s_.import->local)
        return enumerating(DeviceState::importing, "being enumerated");
    if (s_.import->ready)
        return plug_import();
    if (!s_.announced)
        return say(DeviceState::waiting, "its Pi is not linked now");
    if (const auto difference = differs(s_.import->local->device, *s_.announced))
        return say(
            DeviceState::refused,
            fmt::format("it is not what the Pi announced: {}; left unauthorised", *difference));
    AuthorizeImport action{
        place_, s_.import->local->sysfs_path, wanted_configuration(), s_.vhci_port};
    return act(DeviceState::importing, std::move(action), "being authorised");
}

Step Stepper::import_it() {
    if (!s_.pi || !s_.pi->linked || !s_.pi->announced)
        return say(DeviceState::waiting, "its Pi is not linked now");
    // Fetch nothing that could not be plugged: ask for the guest's port first.
    const auto port = guest_port();
    if (!port)
        return no_port(port.error());
    const auto vhci =
        choose_vhci_port(world_, place_, is_super(s_.announced->speed), shared_.vhci_taken);
    if (!vhci) {
        shared_.guest_ports.give_back(owner_.vmid, *port);
        return say(
            DeviceState::refused,
            why_no_vhci_port(world_, is_super(s_.announced->speed), shared_.vhci_taken));
    }
    shared_.vhci_taken[*vhci] = place_;
    ImportDevice action{place_, s_.pi->address, s_.pi->usbip_port,
                        *vhci,  owner_.vmid,    s_.pi->plain};
    return act(DeviceState::importing, std::move(action), "being imported");
}

Result<GuestPort> Stepper::guest_port() {
    return shared_.guest_ports.choose(owner_.vmid, place_, owner_.rule->guest_port);
}

Step Stepper::no_port(const Error& why) {
    if (why.kind == ErrorKind::not_found)
        shared_.without_controller.insert(owner_.vmid);
    shared_.short_of_ports.insert(owner_.vmid);
    return say(DeviceState::refused, why.message);
}

Step Stepper::plug_import() {
    const Import* late = late_neighbour(world_, s_.vhci_port, now_);
    if (!late)
        return plug(*s_.import->local);
    auto why = fmt::format(
        "{} on the same controller does not enumerate; waiting for the end of that",
        late->place.to_string());
    const TimePoint end = enumeration_end(*late);
    return end > now_ ? say_until(DeviceState::waiting, std::move(why), end)
                      : say(DeviceState::waiting, std::move(why));
}

Step Stepper::plug(const LocalDevice& device) {
    const auto port = guest_port();
    return port ? plug_at(device, *port) : no_port(port.error());
}

Step Stepper::plug_at(const LocalDevice& device, const GuestPort& port) const {
    PlugDevice action;
    action.place = place_;
    action.vmid = owner_.vmid;
    action.command.id = plug_id(place_);
    action.command.hostdevice = world_.node_of(device.device);
    action.command.bus = port.bus;
    action.command.port = port.port;
    action.command.properties = owner_.rule->properties;
    Step step = act(DeviceState::plugging, std::move(action), owner_.why);
    step.outcome.guest_port = port.port;
    return step;
}

} // namespace longcord
