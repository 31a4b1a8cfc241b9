// SPDX-License-Identifier: MIT
#include "plan/steps.hpp"

#include "plan/guards.hpp"
#include "plan/ownership.hpp"
#include "plan/pins.hpp"
#include "plan/standing.hpp"
#include "qmp/plug_id.hpp"
#include "usbip/compare.hpp"

#include <algorithm>

namespace longcord {

namespace {

class Stepper {
  public:
    Stepper(
        const World& world, const Place& place, const Situation& s, Shared& shared, TimePoint now)
        : world_(world), place_(place), s_(s), shared_(shared), now_(now) {}

    Step run() {
        if (const Device* device = s_.device(); device && device->is_hub())
            return say(DeviceState::hub, "a hub");
        if (s_.in_flight)
            return in_flight(*s_.in_flight);
        owner_ = decide_owner(world_, shared_.rules, place_, s_);
        if (s_.import_outlived())
            return detach("the Pi no longer has that device");
        if (s_.relayed_to_silence())
            return detach("its Pi is silent");
        if (s_.import && s_.import->enumerated && !s_.import->local)
            return detach("its stream has ended");
        if (not_enumerated_in_time())
            return detach("the kernel did not enumerate it in 3 s", true);
        for (const auto& plug : s_.plugs)
            if (const auto why = why_take_out(plug))
                return take_out(plug, *why);
        if (!s_.plugs.empty())
            return plugged(s_.plugs.front());
        if (owner_.kind != Ownership::Kind::owned)
            return not_owned();
        return towards_plugged();
    }

  private:
    Step say(DeviceState state, std::string why) const {
        Step step;
        step.outcome.state = state;
        step.outcome.why = std::move(why);
        if (owner_.kind == Ownership::Kind::owned)
            step.outcome.vmid = owner_.vmid;
        return step;
    }

    Step say_until(DeviceState state, std::string why, TimePoint wake) const {
        Step step = say(state, std::move(why));
        step.wake = wake;
        return step;
    }

    Step act(DeviceState state, Action action, std::string why) const {
        Step step = say(state, std::move(why));
        step.action = std::move(action);
        return step;
    }

    Step in_flight(const Action& action) const {
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

    // --- out -----------------------------------------------------------------------------------

    /// Why this plug is not as it should be; nullopt: it is, or that cannot be told now.
    std::optional<std::string> why_take_out(const SeenPlug& plug) const {
        const LocalDevice* openable = s_.openable();
        if (!openable)
            return "the device is gone";
        if (!plug.device->hostport.empty())
            return std::nullopt; // made by another script: replaced when the device is replugged
        if (standing(world_, plug.vmid) == Standing::leaving)
            return world_.quiesced.contains(plug.vmid) ? "the VM is quiesced"
                                                       : "the VM is being migrated";
        if (owner_.kind == Ownership::Kind::nobody)
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

    Step take_out(const SeenPlug& plug, const std::string& why) const {
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
        if (vm.view->state != RunState::running && vm.view->state != RunState::paused)
            return say(DeviceState::waiting, fmt::format("VM {} is not running", plug.vmid));
        if (const auto wait = backing_off())
            return *wait;
        UnplugDevice unplug{place_, plug.vmid, plug.device->id, {}};
        if (s_.import && s_.import->local)
            unplug.deauthorize = s_.import->local->sysfs_path;
        return act(DeviceState::leaving, std::move(unplug), why);
    }

    Step detach(std::string why, bool in_vain = false) const {
        DetachImport action{place_, s_.vhci_port, why, in_vain};
        return act(DeviceState::leaving, std::move(action), std::move(why));
    }

    // --- staying -------------------------------------------------------------------------------

    Step plugged(const SeenPlug& plug) const {
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

    static std::optional<unsigned> parse_port(const std::string& port) {
        const auto path = PortPath::parse(port);
        return path ? std::optional(path->ports.front()) : std::nullopt;
    }

    TimePoint enumeration_end() const { return s_.import->since + enumeration_limit; }

    bool not_enumerated_in_time() const {
        return s_.import && !s_.import->enumerated && now_ >= enumeration_end();
    }

    Step not_owned() const {
        switch (owner_.kind) {
        case Ownership::Kind::conflict:
            return s_.import ? detach(owner_.why) : say(DeviceState::conflict, owner_.why);
        case Ownership::Kind::wait:
            if (s_.import && !s_.import->local)
                return say_until(DeviceState::waiting, owner_.why, enumeration_end());
            return say(DeviceState::waiting, owner_.why);
        default:
            return s_.import ? detach(owner_.why) : say(DeviceState::unclaimed, owner_.why);
        }
    }

    // --- in ------------------------------------------------------------------------------------

    Step towards_plugged() {
        const Vm& vm = world_.vms.at(owner_.vmid);
        if (vm.stale)
            return say(DeviceState::waiting, fmt::format("asking VM {}", owner_.vmid));
        if (s_.history) {
            if (const auto until = s_.history->removals.held_until(now_))
                return say_until(
                    DeviceState::held_off, "somebody removed it from the VM again and again",
                    *until);
            if (const auto until = s_.history->replugs.held_until(now_))
                return say_until(
                    DeviceState::held_off, "it comes and goes: check cable and power", *until);
        }
        if (const auto* busy = s_.import ? nullptr : s_.busy_elsewhere(place_))
            return say(DeviceState::waiting, busy->why);
        if (const auto wait = backing_off())
            return *wait;
        if (!owner_.rule->force)
            if (auto no = guarded())
                return std::move(*no);
        return s_.local ? plug(*s_.local) : remote();
    }

    /// What keeps it from being plugged; nullopt: nothing.
    std::optional<Step> guarded() const {
        if (const auto why = named_by_usb_line(world_, s_))
            return say(DeviceState::refused, *why);
        if (!s_.local)
            return std::nullopt;
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

    /// A device that the host uses stays refused while that is looked at again.
    Step looking_at_use(Step step) const {
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

    std::optional<Step> backing_off() const {
        if (!s_.history || s_.history->backoff.may_try(now_))
            return std::nullopt;
        return say_until(
            DeviceState::waiting, s_.history->last_error, s_.history->backoff.retry_at());
    }

    /// What the guest selected before, else what the rule says, else what the guest will select:
    /// Windows the first one, which has the number 1 in all devices that count as usual, and Linux
    /// what the kernel here chooses as well.
    std::optional<unsigned> wanted_configuration() const {
        if (s_.import->guest_configuration)
            return s_.import->guest_configuration;
        if (owner_.rule->configuration)
            return owner_.rule->configuration;
        const bool windows = world_.vms.at(owner_.vmid).ostype.starts_with('w'); // qm(1), ostype
        return windows && s_.announced->configurations > 1 ? std::optional(1U) : std::nullopt;
    }

    Step remote() {
        if (!s_.import)
            return import_it();
        if (!s_.import->local)
            return say_until(DeviceState::importing, "being enumerated", enumeration_end());
        if (s_.import->ready)
            return plug(*s_.import->local);
        if (!s_.announced)
            return say(DeviceState::waiting, "its Pi is not linked now");
        if (const auto difference = differs(s_.import->local->device, *s_.announced))
            return say(
                DeviceState::refused,
                fmt::format("it is not what the Pi announced: {}; left unauthorised", *difference));
        AuthorizeImport action{place_, s_.import->local->sysfs_path, wanted_configuration()};
        return act(DeviceState::importing, std::move(action), "being authorised");
    }

    Step import_it() {
        if (!s_.pi || !s_.pi->linked || !s_.pi->announced)
            return say(DeviceState::waiting, "its Pi is not linked now");
        // Fetch nothing that could not be plugged: ask for the guest's port first.
        if (const auto port = guest_port(); !port)
            return no_port(port.error());
        const auto vhci = choose_vhci_port(
            world_.vhci, is_super(s_.announced->speed), pinned_vhci_port(world_, place_),
            shared_.vhci_taken);
        if (!vhci)
            return say(DeviceState::refused, no_vhci_port());
        shared_.vhci_taken.insert(*vhci);
        ImportDevice action{place_, s_.pi->address, s_.pi->usbip_port,
                            *vhci,  owner_.vmid,    s_.pi->plain};
        return act(DeviceState::importing, std::move(action), "being imported");
    }

    /// "vhci ports of its speed": who has them, so that somebody can decide who is to go.
    std::string no_vhci_port() const {
        if (world_.vhci.empty())
            return "this host has no vhci_hcd: run \"modprobe vhci-hcd\"";
        std::string holders;
        std::size_t ports = 0;
        for (const auto& row : world_.vhci) {
            if (row.super != is_super(s_.announced->speed))
                continue;
            ++ports;
            const auto import = world_.imports.find(row.port);
            if (import != world_.imports.end())
                holders += (holders.empty() ? "" : ", ") + import->second.place.to_string();
        }
        return fmt::format(
            "all {} vhci ports of its speed are taken{}{}: it is fetched when one is free", ports,
            holders.empty() ? "" : " by ", holders);
    }

    Result<GuestPort> guest_port() {
        return shared_.guest_ports.choose(owner_.vmid, place_, owner_.rule->guest_port);
    }

    Step no_port(const Error& why) {
        if (why.kind == ErrorKind::not_found)
            shared_.without_controller.insert(owner_.vmid);
        return say(DeviceState::refused, why.message);
    }

    Step plug(const LocalDevice& device) {
        const auto port = guest_port();
        if (!port)
            return no_port(port.error());
        PlugDevice action;
        action.place = place_;
        action.vmid = owner_.vmid;
        action.command.id = plug_id(place_);
        action.command.hostdevice = world_.node_of(device.device);
        action.command.bus = port->bus;
        action.command.port = port->port;
        action.command.properties = owner_.rule->properties;
        Step step = act(DeviceState::plugging, std::move(action), owner_.why);
        step.outcome.guest_port = port->port;
        return step;
    }

    const World& world_;
    const Place& place_;
    const Situation& s_;
    Shared& shared_;
    TimePoint now_;
    Ownership owner_;
};

} // namespace

Step next_step(
    const World& world, const Place& place, const Situation& situation, Shared& shared,
    TimePoint now) {
    return Stepper(world, place, situation, shared, now).run();
}

} // namespace longcord
