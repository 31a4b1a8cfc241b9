// SPDX-License-Identifier: MIT
#include "outside.hpp"

#include <algorithm>

namespace longcord::model {

namespace {

constexpr unsigned ports_of_controller = 3; // the last of them is SuperSpeed
constexpr unsigned first_vhci_bus = 5;

} // namespace

// --- what happens ---

void Outside::pi_plugs(const Place& place, Device device) {
    if (const auto port = port_of(place))
        frees(*port); // whatever was there before is gone, and its stream with it
    device.place = place;
    device.devnum = next_devnum_++;
    RealPi& pi = pis[place.pi];
    pi.elsewhere.erase(place);
    pi.devices[place] = device;
    if (pi.linked)
        notes[place.pi].push_back({Note::Kind::added, {device}});
}

void Outside::pi_unplugs(const Place& place) {
    RealPi& pi = pis[place.pi];
    if (pi.devices.erase(place) == 0)
        return;
    pi.elsewhere.erase(place);
    if (const auto port = port_of(place))
        frees(*port);
    if (pi.linked)
        notes[place.pi].push_back({Note::Kind::removed, {}, place});
}

void Outside::local_plugs(LocalDevice device) {
    local_unplugs(device.device.place);
    device.device.devnum = next_devnum_++;
    notes["kernel"].push_back({Note::Kind::device, {}, {}, device.sysfs_path});
    locals[device.device.place] = std::move(device);
}

void Outside::local_unplugs(const Place& place) {
    const auto local = locals.find(place);
    if (local == locals.end())
        return;
    notes["kernel"].push_back(
        {Note::Kind::gone, {}, {}, local->second.sysfs_path, local->second.device.devnum});
    locals.erase(local);
    uses.erase(place);
}

void Outside::frees(unsigned port) {
    const auto import = ports.find(port);
    if (import == ports.end())
        return;
    if (import->second.devnum == 0)
        notes["kernel"].push_back({Note::Kind::gone, {}, {}, sysname_of(port), 0});
    else
        leaving[port] = enumerated(port, import->second);
    ports.erase(import);
}

void Outside::removes(unsigned port) {
    const auto left = leaving.find(port);
    if (left == leaving.end())
        return;
    notes["kernel"].push_back(
        {Note::Kind::gone, {}, {}, left->second.sysfs_path, left->second.device.devnum});
    leaving.erase(left);
}

void Outside::enumerates(unsigned port, bool odd) {
    removes(port); // the hub does one after the other
    RealPort& import = ports.at(port);
    import.devnum = next_devnum_++;
    import.odd = odd;
    notes["kernel"].push_back({Note::Kind::device, {}, {}, sysname_of(port)});
}

void Outside::starts(unsigned vmid, RunState state) {
    RealQemu qemu;
    qemu.pid = next_pid_++;
    qemu.state = state;
    qemu.controllers.push_back({"xhci", "qemu-xhci", "xhci.0", 4}); // few, so that they run out
    qemus[vmid] = std::move(qemu);
    configs[vmid];
    notes["vms"].push_back({Note::Kind::vms});
    notes["vms"].push_back({Note::Kind::configs});
}

void Outside::stops(unsigned vmid) {
    if (qemus.erase(vmid) > 0)
        notes["vms"].push_back({Note::Kind::vms});
}

// --- what the service reads ---

std::string Outside::sysname_of(unsigned port) {
    return fmt::format(
        "{}-{}", first_vhci_bus + port / ports_of_controller, port % ports_of_controller + 1);
}

std::string Outside::node_of(const LocalDevice& device) {
    return World{}.node_of(device.device);
}

LocalDevice Outside::enumerated(unsigned port, const RealPort& import) const {
    LocalDevice local;
    local.device = import.device;
    local.device.place = Place::parse(sysname_of(port)).value();
    local.device.devnum = import.devnum;
    if (import.odd)
        local.device.id.product ^= 1;
    local.sysfs_path = sysname_of(port);
    local.on_vhci = true;
    local.authorized = import.authorized;
    local.configuration = import.configuration;
    if (import.authorized)
        local.interfaces_authorized = import.interfaces_authorized;
    return local;
}

std::vector<VhciPort> Outside::vhci_table() const {
    std::vector<VhciPort> table;
    for (unsigned port = 0; port < vhci_ports; ++port) {
        VhciPort row{};
        row.super = port % ports_of_controller == ports_of_controller - 1;
        row.port = port;
        if (const auto used = ports.find(port); used != ports.end()) {
            row.state =
                used->second.devnum == 0 ? VhciPort::State::assigned : VhciPort::State::used;
            if (row.state == VhciPort::State::used) {
                row.devid = devid_of(used->second.device);
                row.local_busid = sysname_of(port);
            }
        }
        table.push_back(row);
    }
    return table;
}

std::vector<LocalDevice> Outside::kernel_devices() const {
    std::vector<LocalDevice> all;
    for (const auto& [place, device] : locals)
        all.push_back(device);
    for (const auto& [port, import] : ports)
        if (import.devnum != 0)
            all.push_back(enumerated(port, import));
    for (const auto& [port, device] : leaving)
        all.push_back(device);
    return all;
}

std::optional<LocalDevice> Outside::kernel_device(const std::string& sysname) const {
    for (auto& device : kernel_devices())
        if (device.sysfs_path == sysname)
            return std::move(device);
    return std::nullopt;
}

bool Outside::has_node(const std::string& node) const {
    const auto all = kernel_devices();
    return std::any_of(
        all.begin(), all.end(), [&](const LocalDevice& device) { return node_of(device) == node; });
}

std::pair<VmView, std::set<std::string>> Outside::view(unsigned vmid) const {
    const RealQemu& qemu = qemus.at(vmid);
    VmView view{qemu.state, qemu.controllers, qemu.devices};
    std::set<std::string> open;
    for (auto& device : view.devices) {
        device.attached =
            device.attached && (device.hostdevice.empty() || has_node(device.hostdevice));
        if (device.attached && !device.hostdevice.empty())
            open.insert(device.hostdevice);
    }
    return {view, open};
}

std::vector<RunningVm> Outside::running() const {
    std::vector<RunningVm> all;
    for (const auto& [vmid, qemu] : qemus)
        all.push_back({vmid, qemu.pid, {}});
    return all;
}

std::optional<unsigned> Outside::port_of(const Place& place) const {
    for (const auto& [port, import] : ports)
        if (import.ours && import.place == place)
            return port;
    return std::nullopt;
}

bool Outside::is_another(const std::string& sysname, const Place& place) const {
    return std::any_of(ports.begin(), ports.end(), [&](const auto& entry) {
        const auto& [port, import] = entry;
        return sysname_of(port) == sysname && (!import.ours || import.place != place);
    });
}

// --- what the service does ---

Result<> Outside::attach(const ImportDevice& action) {
    if (ports.contains(action.vhci_port))
        return fail(ErrorKind::busy, "vhci port {} is taken", action.vhci_port);
    RealPort import;
    import.ours = true;
    import.place = action.place;
    import.device = pis.at(action.place.pi).devices.at(action.place);
    ports[action.vhci_port] = std::move(import);
    return {};
}

Result<> Outside::authorize(const AuthorizeImport& action) {
    for (auto& [port, import] : ports)
        if (sysname_of(port) == action.sysname && import.devnum != 0) {
            import.authorized = import.interfaces_authorized = true;
            import.configuration = action.configuration.value_or(1);
            notes["kernel"].push_back({Note::Kind::device, {}, {}, action.sysname});
            return {};
        }
    return fail(ErrorKind::not_found, "{} is gone", action.sysname);
}

void Outside::deauthorize(const std::string& sysname) {
    for (auto& [port, import] : ports)
        if (sysname_of(port) == sysname && import.devnum != 0) {
            import.authorized = import.interfaces_authorized = false;
            import.configuration = 0;
            notes["kernel"].push_back({Note::Kind::device, {}, {}, sysname});
        }
}

Result<> Outside::plug(const PlugDevice& action) {
    RealQemu& qemu = qemus.at(action.vmid);
    const PlugCommand& command = action.command;
    const std::string port = std::to_string(command.port);
    if (std::none_of(
            qemu.controllers.begin(), qemu.controllers.end(),
            [&](const GuestController& c) { return c.bus == command.bus; }))
        return fail(ErrorKind::refused, "no bus {}", command.bus);
    for (const auto& device : qemu.devices)
        if (device.id == command.id || (device.bus == command.bus && device.port == port))
            return fail(ErrorKind::refused, "id or port is taken");
    if (!has_node(command.hostdevice))
        return fail(ErrorKind::not_found, "no {}", command.hostdevice);
    qemu.devices.push_back(
        {command.id, "usb-host", command.bus, port, true, command.hostdevice, ""});
    qemu.ours.insert(command.id);
    return {};
}

Result<> Outside::add_controller(const AddController& action) {
    auto& controllers = qemus.at(action.vmid).controllers;
    for (const auto& controller : controllers)
        if (controller.id == "longcord")
            return fail(ErrorKind::refused, "the id is taken");
    controllers.push_back({"longcord", "qemu-xhci", "longcord.0", 4});
    return {};
}

Result<> Outside::unplug(const UnplugDevice& action) {
    RealQemu& qemu = qemus.at(action.vmid);
    std::erase_if(qemu.devices, [&](const GuestDevice& d) { return d.id == action.id; });
    qemu.ours.erase(action.id);
    return {};
}

} // namespace longcord::model
