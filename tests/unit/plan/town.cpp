// SPDX-License-Identifier: MIT
#include "town.hpp"

#include "plan/guards.hpp"
#include "qmp/plug_id.hpp"

#include <algorithm>

namespace longcord::test {

namespace {

constexpr unsigned controller_ports = 16; // 8 high speed, 8 SuperSpeed
constexpr unsigned vhci_bus = 5;

Place at(const std::string& text) {
    return Place::parse(text).value();
}

Device make(const std::string& place, const std::string& id, unsigned devnum) {
    Device device;
    device.place = at(place);
    device.id = UsbId::parse(id).value();
    device.speed = Speed::full;
    device.devnum = devnum;
    return device;
}

} // namespace

Town::Town() {
    world.knows_rules = world.knows_vms = world.knows_devices = true;
    world.vhci = vhci_table();
}

Town& Town::pi(const std::string& name) {
    pis_[name];
    pi_linked(world, name, "192.0.2.7", now);
    pi_listed(world, name, {}, now);
    return *this;
}

Town& Town::device(
    const std::string& place, const std::string& id, const std::string& serial,
    std::uint8_t configurations) {
    Device device = make(place, id, next_devnum_++);
    device.serial = serial;
    device.configurations = configurations;
    pis_[device.place.pi][device.place] = device;
    pi_added(world, device, now);
    return *this;
}

Town& Town::local(const std::string& place, const std::string& id) {
    LocalDevice local;
    local.device = make(place, id, next_devnum_++);
    local.sysfs_path = place;
    local.devpath = "/devices/pci0000:00/0000:00:14.0/usb3/" + place;
    local.authorized = true;
    locals_[local.device.place] = local;
    device_seen(world, local, now);
    return *this;
}

Town& Town::hub(const std::string& place) {
    local(place, "2109:2817");
    LocalDevice& hub = locals_[at(place)];
    hub.device.device_class.code = class_hub;
    device_seen(world, hub, now);
    return *this;
}

Town& Town::vm(unsigned vmid, RunState state) {
    if (!pids_.contains(vmid))
        pids_[vmid] = next_pid_++;
    VmView& view = qemus_[vmid];
    view.state = state;
    if (view.controllers.empty())
        view.controllers.push_back({"xhci", "qemu-xhci", "xhci.0", 15});
    std::vector<RunningVm> running;
    for (const auto& [id, pid] : pids_)
        running.push_back({id, pid, {}});
    vms_running(world, running);
    vm_touched(world, vmid);
    return *this;
}

Town& Town::qemu(unsigned vmid, RunState state) {
    qemus_.at(vmid).state = state;
    return *this;
}

Town& Town::vm_without_xhci(unsigned vmid) {
    vm(vmid);
    qemus_[vmid].controllers.clear();
    return *this;
}

Town& Town::controllers(unsigned vmid, std::vector<GuestController> controllers) {
    qemus_[vmid].controllers = std::move(controllers);
    vm_touched(world, vmid);
    return *this;
}

Town& Town::quiet_controllers(unsigned vmid, std::vector<GuestController> controllers) {
    qemus_.at(vmid).controllers = std::move(controllers);
    return *this;
}

Town& Town::rules(unsigned vmid, const std::string& text) {
    auto parsed = parse_rules(text);
    REQUIRE(parsed.ok());
    std::erase_if(world.rules, [&](const VmRules& vm) { return vm.vmid == vmid; });
    world.rules.push_back({vmid, parsed.rules});
    std::sort(world.rules.begin(), world.rules.end(), [](const VmRules& a, const VmRules& b) {
        return a.vmid < b.vmid;
    });
    return *this;
}

Town& Town::host_uses(const std::string& place, HostUse use) {
    uses_[at(place)] = std::move(use);
    uses_touched(world);
    return *this;
}

Town& Town::mute(const std::string& place) {
    mutes_.insert(at(place));
    return *this;
}

Town& Town::vhci_controllers(unsigned count) {
    vhci_controllers_ = count;
    vhci_listed(world, vhci_table(), now);
    return *this;
}

std::optional<LocalDevice> Town::stream_ends(const std::string& place) {
    const auto real = std::find_if(vhci_.begin(), vhci_.end(), [&](const auto& entry) {
        return entry.second.place == at(place);
    });
    if (real == vhci_.end())
        return std::nullopt;
    auto local = enumerated(real->first, real->second);
    vhci_.erase(real);
    vhci_listed(world, vhci_table(), now);
    return local;
}

void Town::stream_dies(const std::string& place) {
    if (const auto left = stream_ends(place))
        device_gone(world, left->sysfs_path);
    vhci_listed(world, vhci_table(), now);
}

void Town::unplug_device(const std::string& place) {
    const Place where = at(place);
    if (where.is_local()) {
        locals_.erase(where);
        device_gone(world, place);
        return;
    }
    pis_[where.pi].erase(where);
    pi_removed(world, where);
}

void Town::replug_device(const std::string& place) {
    const Device before = *real_device(at(place));
    if (before.place.is_local()) {
        unplug_device(place);
        local(place, before.id.to_string());
    } else {
        device(place, before.id.to_string(), before.serial);
    }
}

void Town::stop_vm(unsigned vmid) {
    pids_.erase(vmid);
    qemus_.erase(vmid);
    std::vector<RunningVm> running;
    for (const auto& [id, pid] : pids_)
        running.push_back({id, pid, {}});
    vms_running(world, running);
}

void Town::somebody_removes(unsigned vmid, const std::string& id) {
    std::erase_if(qemus_[vmid].devices, [&](const GuestDevice& d) { return d.id == id; });
    vm_touched(world, vmid);
}

void Town::restart_service() {
    World fresh;
    fresh.rules = world.rules;
    fresh.knows_rules = true;
    world = fresh;
    for (const auto& [port, real] : vhci_) {
        Import import;
        import.place = real.place;
        import.devid = devid_of(real.device);
        import.since = now;
        import.found = true;
        import.ready = real.ready;
        import_found(world, port, import);
    }
    vhci_listed(world, vhci_table(), now);
    std::vector<LocalDevice> devices;
    for (const auto& [place, device] : locals_)
        devices.push_back(device);
    for (const auto& [port, real] : vhci_)
        devices.push_back(enumerated(port, real));
    devices_listed(world, devices, now);
    std::vector<RunningVm> running;
    for (const auto& [vmid, pid] : pids_)
        running.push_back({vmid, pid, {}});
    vms_running(world, running);
}

std::vector<std::string> Town::planned() const {
    std::vector<std::string> words;
    for (const auto& action : plan().actions)
        words.push_back(to_string(action));
    return words;
}

Outcome Town::outcome(const std::string& place) const {
    const auto outcomes = plan().outcomes;
    const auto found = outcomes.find(at(place));
    REQUIRE_MESSAGE(found != outcomes.end(), place);
    return found->second;
}

unsigned Town::settle(unsigned most_rounds) {
    for (unsigned round = 0;; ++round) {
        const auto actions = plan().actions;
        if (actions.empty())
            return round;
        REQUIRE_MESSAGE(round < most_rounds, "still at it: ", to_string(actions.front()));
        for (const auto& action : actions)
            action_started(world, action);
        for (const auto& action : actions)
            apply(action);
    }
}

Town& Town::falls_silent(unsigned vmid) {
    silent_.insert(vmid);
    return *this;
}

void Town::plug_into_qemu(const PlugDevice& plug) {
    const PlugCommand& command = plug.command;
    qemus_[plug.vmid].devices.push_back(
        {command.id, "usb-host", command.bus, std::to_string(command.port), true,
         command.hostdevice, ""});
}

void Town::apply(const Action& action) {
    done.push_back(to_string(action));
    if (const auto* plug = std::get_if<PlugDevice>(&action);
        plug && silent_.erase(plug->vmid) > 0) {
        plug_into_qemu(*plug);
        vm_not_viewed(world, plug->vmid, now);
        action_ended(world, action, fail(ErrorKind::unknown, "no answer"), now);
        return;
    }
    const Result<> refused = refuse ? refuse(action) : Result<>();
    if (refused)
        do_action(action);
    else if (const auto* look_at = std::get_if<LookAtVm>(&action))
        vm_not_viewed(world, look_at->vmid, now);
    action_ended(world, action, refused, now);
}

void Town::do_action(const Action& action) {
    if (const auto* look_at = std::get_if<LookAtVm>(&action)) {
        look(look_at->vmid);
    } else if (const auto* add = std::get_if<AddController>(&action)) {
        qemus_[add->vmid].controllers.push_back({"longcord", "qemu-xhci", "longcord.0", 15});
        look(add->vmid);
    } else if (const auto* use = std::get_if<LookAtUse>(&action)) {
        HostUse seen = uses_[use->place];
        seen.devnum = locals_.at(use->place).device.devnum;
        use_seen(world, use->place, seen, now);
    } else if (const auto* import = std::get_if<ImportDevice>(&action)) {
        CHECK_MESSAGE(!vhci_.contains(import->vhci_port), "that vhci port is taken");
        const Device device = *real_device(import->place);
        vhci_[import->vhci_port] = {import->place, device, false};
        Import seen;
        seen.place = import->place;
        seen.devid = devid_of(device);
        seen.since = now;
        import_found(world, import->vhci_port, seen);
        vhci_listed(world, vhci_table(), now);
        if (!mutes_.contains(import->place))
            device_seen(world, enumerated(import->vhci_port, vhci_[import->vhci_port]), now);
    } else if (const auto* authorize = std::get_if<AuthorizeImport>(&action)) {
        for (auto& [port, real] : vhci_)
            if (real.place == authorize->place)
                real.ready = true;
    } else if (const auto* plug = std::get_if<PlugDevice>(&action)) {
        plug_into_qemu(*plug);
        look(plug->vmid);
    } else if (const auto* unplug = std::get_if<UnplugDevice>(&action)) {
        std::erase_if(
            qemus_[unplug->vmid].devices, [&](const GuestDevice& d) { return d.id == unplug->id; });
        for (auto& [port, real] : vhci_)
            if (real.place == unplug->place && !unplug->deauthorize.empty())
                real.ready = false;
        look(unplug->vmid);
    } else if (const auto* detach = std::get_if<DetachImport>(&action)) {
        const auto real = vhci_.find(detach->vhci_port);
        if (real != vhci_.end()) {
            device_gone(world, enumerated(real->first, real->second).sysfs_path);
            vhci_.erase(real);
        }
        world.vhci = vhci_table();
    }
}

void Town::look(unsigned vmid) {
    std::set<std::string> open;
    VmView view = qemus_[vmid];
    for (auto& device : view.devices) {
        bool there = false;
        for (const auto& [place, local] : locals_)
            there = there || world.node_of(local.device) == device.hostdevice;
        for (const auto& [port, real] : vhci_)
            there = there || world.node_of(enumerated(port, real).device) == device.hostdevice;
        device.attached = there;
        if (there)
            open.insert(device.hostdevice);
    }
    vm_viewed(world, vmid, view, open, now);
}

LocalDevice Town::enumerated(unsigned port, const RealImport& import) const {
    LocalDevice local;
    local.device = import.device;
    local.device.place = {"", vhci_bus, {{port + 1}}};
    local.sysfs_path = local.device.place.busid();
    local.on_vhci = true;
    local.authorized = import.ready;
    return local;
}

std::vector<VhciPort> Town::vhci_table() const {
    std::vector<VhciPort> table;
    for (unsigned port = 0; port < vhci_controllers_ * controller_ports; ++port) {
        VhciPort row{};
        row.super = port % controller_ports >= controller_ports / 2;
        row.port = port;
        row.state = VhciPort::State::free;
        if (const auto real = vhci_.find(port); real != vhci_.end()) {
            row.state = mutes_.contains(real->second.place) ? VhciPort::State::assigned
                                                            : VhciPort::State::used;
            row.devid = devid_of(real->second.device);
            row.local_busid = enumerated(port, real->second).sysfs_path;
        }
        table.push_back(row);
    }
    return table;
}

const Device* Town::real_device(const Place& place) const {
    if (place.is_local()) {
        const auto local = locals_.find(place);
        return local == locals_.end() ? nullptr : &local->second.device;
    }
    const auto pi = pis_.find(place.pi);
    if (pi == pis_.end())
        return nullptr;
    const auto device = pi->second.find(place);
    return device == pi->second.end() ? nullptr : &device->second;
}

std::vector<std::string> Town::inside(unsigned vmid) const {
    std::vector<std::string> ids;
    if (const auto qemu = qemus_.find(vmid); qemu != qemus_.end())
        for (const auto& device : qemu->second.devices)
            ids.push_back(device.id);
    std::sort(ids.begin(), ids.end());
    return ids;
}

std::vector<Place> Town::imported() const {
    std::vector<Place> places;
    for (const auto& [port, import] : vhci_)
        places.push_back(import.place);
    return places;
}

} // namespace longcord::test
