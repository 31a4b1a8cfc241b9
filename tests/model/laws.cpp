// SPDX-License-Identifier: MIT
#include "laws.hpp"

#include "qmp/plug_id.hpp"
#include "usbip/compare.hpp"

#include <algorithm>

namespace longcord::model {

namespace {

/// The law that one action breaks; each in the words of the design, section 6.
class ActionLaws {
  public:
    ActionLaws(const World& world, const Outside& outside) : world_(world), outside_(outside) {}

    std::string operator()(const LookAtVm& look) const {
        const auto vm = world_.vms.find(look.vmid);
        if (vm == world_.vms.end())
            return "a VM is looked at that does not run";
        return vm->second.looking ? "a VM is looked at twice at once" : "";
    }

    std::string operator()(const AddController& add) const {
        if (!world_.hot_add)
            return "a controller is added, and nobody allowed it";
        const auto vm = world_.vms.find(add.vmid);
        if (vm == world_.vms.end() || !vm->second.view || !vm->second.view->controllers.empty())
            return "a controller is added to a VM that has one";
        return vm->second.adding_controller ? "a controller is added twice at once"
                                            : may_get(add.vmid);
    }

    std::string operator()(const LookAtUse& look) const {
        return world_.local.contains(look.place) ? "" : "the use of a device that is not here";
    }

    std::string operator()(const ImportDevice& import) const {
        const auto pi = world_.pis.find(import.place.pi);
        if (pi == world_.pis.end() || !pi->second.linked || !world_.announced_at(import.place))
            return "imported from a Pi that does not offer it";
        if (world_.import_of(import.place))
            return "imported twice";
        if (world_.imports.contains(import.vhci_port))
            return "imported to a port that has an import";
        for (const auto& row : world_.vhci)
            if (row.port == import.vhci_port && row.state != VhciPort::State::free)
                return "imported to a port that is not free";
        for (const auto& [place, action] : world_.in_flight)
            if (const auto* other = std::get_if<ImportDevice>(&action))
                if (other->vhci_port == import.vhci_port)
                    return "two imports are on their way to one port";
        return may_get(import.vmid);
    }

    std::string operator()(const AuthorizeImport& authorize) const {
        const auto* import = world_.import_of(authorize.place);
        if (!import || !import->second.local ||
            import->second.local->sysfs_path != authorize.sysname)
            return "authorised, and is not what was enumerated";
        const Device* announced = world_.announced_at(authorize.place);
        if (!announced || differs(import->second.local->device, *announced))
            return "authorised, and is not what its Pi announced";
        return "";
    }

    std::string operator()(const PlugDevice& plug) const {
        for (const auto& [vmid, vm] : world_.vms)
            if (vm.view)
                for (const auto& device : vm.view->devices) {
                    if (device.id == plug.command.id)
                        return "plugged, and a VM has it";
                    if (vmid == plug.vmid && device.bus == plug.command.bus &&
                        device.port == std::to_string(plug.command.port))
                        return "plugged at a guest port that is taken";
                }
        for (const auto& [place, action] : world_.in_flight)
            if (const auto* other = std::get_if<PlugDevice>(&action))
                if (other->vmid == plug.vmid && other->command.bus == plug.command.bus &&
                    other->command.port == plug.command.port)
                    return "two are plugged at one guest port";
        if (const auto* import = world_.import_of(plug.place); import && !import->second.ready)
            return "plugged before it is authorised";
        if (doubtful(plug.vmid))
            return "plugged into a VM in doubt";
        return may_get(plug.vmid);
    }

    std::string operator()(const UnplugDevice& unplug) const {
        if (doubtful(unplug.vmid))
            return "unplugged from a VM in doubt";
        const auto place = place_of_plug_id(unplug.id);
        if (!place || *place != unplug.place)
            return "unplugged under an id that is not ours";
        const Vm& vm = world_.vms.at(unplug.vmid);
        const auto device = std::find_if(
            vm.view->devices.begin(), vm.view->devices.end(),
            [&](const GuestDevice& seen) { return seen.id == unplug.id; });
        if (device == vm.view->devices.end())
            return "unplugged, and is not there";
        const auto* import = world_.import_of(unplug.place);
        const bool here = world_.local.contains(unplug.place) || (import && import->second.local);
        if (!device->hostport.empty() && here)
            return "unplugged, and another script has plugged it";
        for (const auto& [port, left] : outside_.leaving)
            if (Outside::node_of(left) == device->hostdevice && seen_free(port))
                return "QEMU is told before the kernel has removed the device";
        // What the kernel has disconnected cannot stall.
        if (import && in_doubt(import->second) && outside_.has_node(device->hostdevice))
            return "QEMU is told first, and its stream is in doubt";
        return "";
    }

    std::string operator()(const DetachImport& detach) const {
        const auto import = world_.imports.find(detach.vhci_port);
        if (import == world_.imports.end() || import->second.place != detach.place)
            return "detached, and is no import of ours";
        const auto real = outside_.ports.find(detach.vhci_port);
        const auto unheard = outside_.notes.find("kernel");
        const bool heard = unheard == outside_.notes.end() || unheard->second.empty();
        if (heard && real != outside_.ports.end() && !real->second.ours)
            return "detached, and somebody else has that port";
        return "";
    }

  private:
    bool seen_free(unsigned port) const {
        return std::any_of(world_.vhci.begin(), world_.vhci.end(), [&](const VhciPort& row) {
            return row.port == port && row.state == VhciPort::State::free;
        });
    }

    bool doubtful(unsigned vmid) const {
        const auto vm = world_.vms.find(vmid);
        return vm == world_.vms.end() || !vm->second.view || vm->second.stale;
    }

    /// Running, and no lock forbids it.
    std::string may_get(unsigned vmid) const {
        const auto vm = world_.vms.find(vmid);
        if (vm == world_.vms.end() || !vm->second.view)
            return "something is for a VM of which nothing is known";
        if (vm->second.view->state != RunState::running)
            return "something is for a VM that does not run";
        if (vm->second.lock == VmLock::migrate || vm->second.lock == VmLock::other)
            return "something is for a VM that is locked";
        return world_.quiesced.contains(vmid) ? "something is for a VM that is quiesced" : "";
    }

    /// Nobody vouches for the stream: its Pi is not there or has another device by now, or nobody
    /// speaks for it at all.
    bool in_doubt(const Import& import) const {
        const auto pi = world_.pis.find(import.place.pi);
        if (pi == world_.pis.end() || !pi->second.linked || !pi->second.announced ||
            pi->second.plain || pi->second.unpaired)
            return true;
        const Device* announced = world_.announced_at(import.place);
        return !announced || devid_of(*announced) != import.devid;
    }

    const World& world_;
    const Outside& outside_;
};

} // namespace

std::string broken_by_plan(const World& world, const Outside& outside, const Plan& plan) {
    const ActionLaws laws(world, outside);
    std::set<Place> places;
    std::set<unsigned> vhci_ports;
    std::set<std::tuple<unsigned, std::string, unsigned>> guest_ports;
    std::set<unsigned> looks;
    for (const auto& action : plan.actions) {
        if (auto law = std::visit(laws, action); !law.empty())
            return law + " (" + to_string(action) + ")";
        const Place* place = place_of(action);
        if (place && (world.in_flight.contains(*place) || !places.insert(*place).second))
            return "two actions for one device (" + to_string(action) + ")";
        const auto* import = std::get_if<ImportDevice>(&action);
        if (import && !vhci_ports.insert(import->vhci_port).second)
            return "two imports to one port (" + to_string(action) + ")";
        const auto* plug = std::get_if<PlugDevice>(&action);
        if (plug && !guest_ports.emplace(plug->vmid, plug->command.bus, plug->command.port).second)
            return "two plugs at one guest port (" + to_string(action) + ")";
        const auto* look = std::get_if<LookAtVm>(&action);
        if (look && !looks.insert(look->vmid).second)
            return "a VM is looked at twice at once";
    }
    return "";
}

std::string broken_outside(const Outside& outside) {
    std::map<std::string, unsigned> has;
    for (const auto& [vmid, qemu] : outside.qemus)
        for (const auto& node : outside.view(vmid).second) {
            const auto [other, first] = has.emplace(node, vmid);
            if (!first)
                return fmt::format(
                    "a device is in two VMs: {}, VM {} and VM {}", node, other->second, vmid);
        }
    return "";
}

} // namespace longcord::model
