// SPDX-License-Identifier: MIT
// What happens outside, to the machines and by people.
#include "cast.hpp"
#include "plan/by_hand.hpp"
#include "plan/changes.hpp"
#include "plan/guards.hpp"
#include "play.hpp"
#include "qmp/plug_id.hpp"

#include <algorithm>
#include <iterator>

namespace longcord::model {

namespace {

constexpr std::array pauses{milliseconds(1),     milliseconds(50),    milliseconds(400),
                            milliseconds(1'100), milliseconds(3'100), milliseconds(12'000),
                            milliseconds(40'000)};
constexpr std::array states{
    RunState::running, RunState::running, RunState::paused, RunState::prelaunch,
    RunState::inmigrate};
constexpr std::array locks{VmLock::none,    VmLock::none,  VmLock::backup,
                           VmLock::migrate, VmLock::other, VmLock::snapshot_delete};

/// The nth of ours, by port; end(): there is none.
std::map<unsigned, RealPort>::iterator nth_import(Outside& outside, std::uint32_t number) {
    std::vector<std::map<unsigned, RealPort>::iterator> ours;
    for (auto port = outside.ports.begin(); port != outside.ports.end(); ++port)
        if (port->second.ours)
            ours.push_back(port);
    return ours.empty() ? outside.ports.end() : ours[number % ours.size()];
}

} // namespace

void Play::happen(const Happening& one) {
    switch (one.what) {
    case What::wait:
        now_ += one_of(pauses, one.a);
        break;
    case What::wake:
        if (wake_)
            now_ = std::max(now_, *wake_);
        break;
    case What::tell: {
        std::vector<std::string> speakers;
        for (const auto& [who, waiting] : outside_.notes)
            if (!waiting.empty())
                speakers.push_back(who);
        if (!speakers.empty())
            tell(one_of(speakers, one.a));
        break;
    }
    case What::half:
        return half(one.a);
    case What::end:
        return end(one.a, one.b);
    case What::restart:
        return restart(one.b);
    default:
        happen_to_pi(one);
        happen_to_import(one);
        happen_here(one);
        happen_to_vm(one);
        decide(one);
    }
}

void Play::happen_to_pi(const Happening& one) {
    const std::string name = one_of(pi_names, one.a);
    const Place place = place_at(one_of(pi_places, one.a));
    RealPi& pi = outside_.pis[name];
    switch (one.what) {
    case What::pi_up:
        if (pi.plain) {
            pi.linked = true;
            rescan(name);
        } else if (!pi.linked) {
            link(name);
        }
        break;
    case What::pi_down:
        if (pi.linked)
            pi_unlinked(world_, name, one.b % 2 == 1 && !pi.plain);
        pi.linked = false;
        outside_.notes[name].clear();
        break;
    case What::pi_unpaired:
        if (pi.plain)
            break;
        if (pi.linked)
            pi_unlinked(world_, name, false);
        pi.linked = false;
        outside_.notes[name].clear();
        pi_unpaired(world_, name);
        break;
    case What::pi_plug:
        if (outside_.pis[place.pi].plain && outside_.port_of(place))
            break; // usbipd is not told; see stream_dies
        outside_.pi_plugs(place, device_of_kind(one.b));
        break;
    case What::pi_unplug:
        outside_.pi_unplugs(place);
        break;
    case What::elsewhere: {
        RealPi& there = outside_.pis[place.pi];
        if (there.devices.contains(place) && !outside_.port_of(place))
            there.elsewhere.insert(place);
        break;
    }
    case What::available: {
        RealPi& there = outside_.pis[place.pi];
        there.elsewhere.erase(place);
        if (there.told_busy.erase(place) > 0 && there.linked)
            outside_.notes[place.pi].push_back({Note::Kind::available, {}, place});
        break;
    }
    default:
        break;
    }
}

void Play::happen_to_import(const Happening& one) {
    const auto import = nth_import(outside_, one.a);
    const unsigned foreign_port = one.a % Outside::vhci_ports;
    const auto there = outside_.ports.find(foreign_port);
    switch (one.what) {
    case What::stream_dies:
        if (import != outside_.ports.end())
            outside_.frees(import->first);
        break;
    case What::enumerate:
        if (import != outside_.ports.end() && import->second.devnum == 0)
            outside_.enumerates(import->first, one.b % 16 == 7);
        break;
    case What::hub_removes:
        if (const auto& left = outside_.leaving; !left.empty())
            outside_.removes(std::next(left.begin(), one.a % left.size())->first);
        break;
    case What::guest_selects:
        if (import == outside_.ports.end() || !import->second.authorized ||
            import->second.device.configurations < 2)
            break;
        import->second.configuration = 3 - import->second.configuration;
        import->second.interfaces_authorized = one.b % 2 == 0;
        if (const auto busid = outside_.vhci_table()[import->first].local_busid; !busid.empty())
            outside_.notes["kernel"].push_back({Note::Kind::device, {}, {}, busid});
        break;
    case What::foreign: {
        // What is under way there would reach it, and nobody could know.
        const bool concerned =
            std::any_of(running_.begin(), running_.end(), [&](const Running& other) {
                return vhci_port_of(other.action) == foreign_port;
            });
        if (there != outside_.ports.end() || concerned)
            break;
        RealPort foreign;
        foreign.device = device_of_kind(one.b);
        foreign.device.place = place_at("9-9");
        foreign.device.devnum = 99;
        outside_.ports[foreign_port] = std::move(foreign);
        outside_.enumerates(foreign_port, false);
        // Between the kernel's event and its being heard nobody can know whose a port is.
        while (tell("kernel")) {
        }
        break;
    }
    case What::foreign_gone:
        if (there != outside_.ports.end() && !there->second.ours)
            outside_.frees(foreign_port);
        break;
    default:
        break;
    }
}

void Play::happen_here(const Happening& one) {
    const Place place = place_at(one_of(local_places, one.a));
    switch (one.what) {
    case What::local_plug:
        outside_.local_plugs(local_device(place, one.b));
        break;
    case What::local_unplug:
        outside_.local_unplugs(place);
        break;
    case What::host_uses:
        if (outside_.locals.contains(place))
            outside_.uses[place].disk = "sda";
        uses_touched(world_);
        break;
    case What::host_leaves:
        outside_.uses.erase(place);
        uses_touched(world_);
        break;
    case What::usb_line:
        std::erase_if(world_.native, [&](const NativeUse& use) { return use.place == place; });
        if (one.b % 2 == 0)
            world_.native.push_back({100, "usb0: host=" + place.busid(), place, std::nullopt});
        break;
    default:
        break;
    }
}

void Play::happen_to_vm(const Happening& one) {
    const unsigned vmid = one_of(vmids, one.a);
    if (one.what == What::vm_start && !outside_.qemus.contains(vmid)) {
        outside_.configs[vmid].ostype = one.b % 4 == 0 ? "win11" : "l26";
        outside_.starts(vmid, one_of(states, one.b));
    } else if (one.what == What::vm_stop) {
        outside_.stops(vmid);
    } else if (one.what == What::vm_lock) {
        outside_.configs[vmid].lock = one_of(locks, one.b);
        outside_.notes["vms"].push_back({Note::Kind::configs});
    }
    if (!outside_.qemus.contains(vmid))
        return;
    RealQemu& qemu = outside_.qemus.at(vmid);
    GuestDevice* device =
        qemu.devices.empty() ? nullptr : &qemu.devices[one.b % qemu.devices.size()];
    switch (one.what) {
    case What::vm_state:
        qemu.state = one_of(states, one.b);
        break;
    case What::vm_controller:
        world_.hot_add = one.b >= 192;
        if (one.b % 2 == 0 && qemu.devices.empty())
            qemu.controllers.clear();
        else if (qemu.controllers.empty())
            qemu.controllers.push_back({"xhci", "qemu-xhci", "xhci.0", 4});
        break;
    case What::hand_del:
        if (!device)
            break;
        qemu.ours.erase(device->id);
        qemu.devices.erase(qemu.devices.begin() + (device - qemu.devices.data()));
        vm_touched(world_, vmid); // the node was closed
        break;
    case What::lets_go:
        if (device)
            device->attached = false;
        vm_touched(world_, vmid);
        break;
    case What::script_plugs: {
        const Place place = place_at(one_of(local_places, one.b));
        const auto local = outside_.locals.find(place);
        if (local == outside_.locals.end() || qemu.devices.size() >= 3)
            break;
        for (const auto& [id, other] : outside_.qemus) // it looks, too
            for (const auto& plugged : other.devices)
                if (plugged.id == plug_id(place))
                    return;
        qemu.devices.push_back(
            {plug_id(place), "usb-host", "uhci.0", "1", true, "", place.path.to_string()});
        break;
    }
    default:
        break;
    }
}

void Play::decide(const Happening& one) {
    const unsigned vmid = one_of(vmids, one.a);
    const Place place = any_place(one.a);
    switch (one.what) {
    case What::rules:
        std::erase_if(world_.rules, [&](const VmRules& vm) { return vm.vmid == vmid; });
        world_.rules.push_back(rules_of(vmid, one.b));
        std::sort(world_.rules.begin(), world_.rules.end(), [](const VmRules& a, const VmRules& b) {
            return a.vmid < b.vmid;
        });
        world_.rules_unread.erase(vmid);
        break;
    case What::attach: {
        const auto all = situations(world_);
        if (const auto known = all.find(place); known != all.end() && known->second.device())
            (void)attach_by_hand(world_, place, one_of(vmids, one.b), one.b % 8 < 2);
        break;
    }
    case What::detach: {
        const auto all = situations(world_);
        if (const auto known = all.find(place); known != all.end() && known->second.device())
            (void)detach_by_hand(world_, place);
        break;
    }
    case What::resume:
        (void)resume_place(world_, place, place.to_string());
        break;
    case What::quiesce:
        quiesce_vm(world_, vmid);
        break;
    case What::release:
        release_vm(world_, vmid);
        break;
    default:
        break;
    }
}

/// Killed and started again: what was under way may have been done, and nobody heard.
void Play::restart(std::uint32_t done_all_the_same) {
    for (std::size_t i = 0; i < running_.size(); ++i) {
        if ((done_all_the_same >> i % 6 & 1) == 0)
            continue;
        const Action& action = running_[i].action;
        if (const auto* import = std::get_if<ImportDevice>(&action)) {
            if (!running_[i].attached && can_import(*import))
                (void)outside_.attach(*import);
        } else if (const auto* authorize = std::get_if<AuthorizeImport>(&action)) {
            (void)outside_.authorize(*authorize);
        } else if (const auto* detach = std::get_if<DetachImport>(&action)) {
            if (outside_.port_of(detach->place) == detach->vhci_port)
                outside_.frees(detach->vhci_port);
        } else {
            (void)in_qemu(action);
        }
    }
    running_.clear();
    outside_.leaving.clear(); // a start takes longer
    World fresh;
    fresh.rules = std::move(world_.rules);
    fresh.intents = std::move(world_.intents);
    fresh.native = std::move(world_.native);
    fresh.hot_add = world_.hot_add;
    for (const unsigned vmid : {vmids[0], vmids[1]})
        if ((done_all_the_same >> (6 + vmid - vmids[0]) & 1) != 0) {
            std::erase_if(fresh.rules, [&](const VmRules& vm) { return vm.vmid == vmid; });
            fresh.rules_unread.insert(vmid);
        }
    fresh.knows_rules = true;
    world_ = std::move(fresh);
    index_by_hand(world_);
    for (const auto& [port, real] : outside_.ports) {
        if (!real.ours)
            continue;
        Import import;
        import.place = real.place;
        import.devid = devid_of(real.device);
        import.since = now_;
        import.found = true;
        import.ready = real.authorized && real.interfaces_authorized;
        import_found(world_, port, import);
    }
    vhci_listed(world_, outside_.vhci_table(), now_);
    devices_listed(world_, outside_.kernel_devices(), now_);
    vms_running(world_, outside_.running());
    vms_configured(world_, outside_.configs);
    for (auto& [name, pi] : outside_.pis) {
        pi.linked = false;
        if (pi.plain)
            world_.pis[name].plain = true;
    }
    outside_.notes.clear();
}

} // namespace longcord::model
