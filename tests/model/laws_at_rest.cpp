// SPDX-License-Identifier: MIT
// What is true when there is nothing left to do: every device is where the rules and hands want
// it, or there is a reason outside why it cannot be.
#include "cast.hpp"
#include "laws.hpp"
#include "plan/by_hand.hpp"
#include "qmp/plug_id.hpp"
#include "usbip/compare.hpp"

#include <algorithm>

namespace longcord::model {

namespace {

class AtRest {
  public:
    AtRest(const World& world, const Outside& outside, const Plan& plan)
        : world_(world), outside_(outside), plan_(plan), situations_(situations(world)) {}

    std::string law() const {
        for (const auto& action : plan_.actions)
            if (!std::holds_alternative<LookAtVm>(action) &&
                !std::holds_alternative<LookAtUse>(action))
                return "at rest, and there is still something to do: " + to_string(action);
        for (const auto& [vmid, qemu] : outside_.qemus)
            if (auto broken = of_vm(vmid, qemu); !broken.empty())
                return fmt::format("at rest, VM {}: {}", vmid, broken);
        for (const auto& [place, situation] : situations_)
            if (auto broken = of_place(place, situation); !broken.empty())
                return fmt::format("at rest, {}: {}", place.to_string(), broken);
        for (const auto& [port, import] : outside_.ports)
            if (auto broken = of_import(import); !broken.empty())
                return fmt::format("at rest, {}: {}", import.place.to_string(), broken);
        return "";
    }

  private:
    enum class Standing { away, keeping, open };

    /// As it was last seen: nothing tells when a VM is paused. That it runs again is to be noticed.
    Standing standing(unsigned vmid) const {
        const auto vm = world_.vms.find(vmid);
        if (vm == world_.vms.end())
            return Standing::away;
        const VmLock lock = vm->second.lock;
        const bool running = vm->second.view && vm->second.view->state == RunState::running;
        if (!running || lock == VmLock::other)
            return Standing::keeping;
        return world_.quiesced.contains(vmid) || lock == VmLock::migrate ? Standing::away
                                                                         : Standing::open;
    }

    std::string of_vm(unsigned vmid, const RealQemu& qemu) const {
        const auto vm = world_.vms.find(vmid);
        if (vm == world_.vms.end() || vm->second.pid != qemu.pid)
            return "it runs, and nobody knows";
        const bool wants = !rules_of_vm(vmid).empty() || !qemu.ours.empty();
        const bool seen = vm->second.view && vm->second.view->state == RunState::running;
        return wants && !seen && qemu.state == RunState::running ? "it runs again, and nobody looks"
                                                                 : "";
    }

    /// The VMs that have it, plugged by us.
    std::vector<unsigned> holders(const Place& place) const { return with_plug(place, true); }
    /// The VMs with a plug of ours through which nothing comes any more.
    std::vector<unsigned> remains(const Place& place) const { return with_plug(place, false); }

    std::vector<unsigned> with_plug(const Place& place, bool alive) const {
        std::vector<unsigned> vms;
        for (const auto& [vmid, qemu] : outside_.qemus) {
            if (!qemu.ours.contains(plug_id(place)))
                continue;
            for (const auto& device : outside_.view(vmid).first.devices)
                if (device.id == plug_id(place) && device.attached == alive)
                    vms.push_back(vmid);
        }
        return vms;
    }

    bool another_script_has_it(const Place& place) const {
        for (const auto& [vmid, qemu] : outside_.qemus)
            for (const auto& device : qemu.devices)
                if (device.id == plug_id(place) && !device.hostport.empty())
                    return true;
        return false;
    }

    std::string of_place(const Place& place, const Situation& situation) const {
        const Device* device = situation.device();
        const auto has = holders(place);
        if (has.size() > 1)
            return "it is in two VMs";
        for (const unsigned vmid : remains(place))
            if (standing(vmid) == Standing::open)
                return "a plug is left where nothing comes through";
        // A VM that does not run keeps its plugs, whether or not QEMU has them open just then.
        if (plan_.outcomes.at(place).state == DeviceState::plugged && has.empty() &&
            remains(place).empty() && !another_script_has_it(place))
            return "it is said to be plugged, and no VM has it";
        if (has.empty() && !remains(place).empty())
            return ""; // of a VM that is locked or paused, and keeps it until it is not
        if (!has.empty() && standing(has.front()) != Standing::open)
            return standing(has.front()) == Standing::away
                       ? "it is in a VM that everything must leave"
                       : "";
        if (!device || another_script_has_it(place))
            return has.empty() || another_script_has_it(place) ? "" : "it is gone, and a VM has it";
        if (device->is_hub())
            return has.empty() ? "" : "a hub is in a VM";
        return is_right(place, situation, *device, has);
    }

    std::string is_right(
        const Place& place, const Situation& situation, const Device& device,
        const std::vector<unsigned>& has) const {
        if (const ByHand* hand = by_hand_at(world_, place))
            return by_hand(place, situation, *hand, has);
        Device here = device;
        here.place = place;
        const auto all = claims(situation.subject(here), world_.rules);
        std::vector<Claim> open;
        for (const auto& claim : all)
            if (standing(claim.vmid) == Standing::open)
                open.push_back(claim);
        if (!has.empty()) {
            if (world_.rules_unread.contains(has.front()))
                return "";
            const auto own = std::find_if(open.begin(), open.end(), [&](const Claim& claim) {
                return claim.vmid == has.front();
            });
            if (own == open.end())
                return a_pi_may_yet_speak(situation)
                           ? ""
                           : fmt::format("VM {} has it, and wants it not", has.front());
            // Two that want it equally get nothing, and the holder keeps it.
            const bool one_is_strongest = open.size() == 1 || open[0].strength > open[1].strength;
            return one_is_strongest && open.front().strength > own->strength
                       ? "a VM with a stronger rule waits for it"
                       : "";
        }
        if (open.empty() || (open.size() > 1 && open[1].strength == open[0].strength))
            return "";
        const Rule* rule = speaking_rule(situation.subject(here), rules_of_vm(open[0].vmid));
        return has_excuse(place, situation, open[0].vmid, rule && rule->force)
                   ? ""
                   : fmt::format(
                         "VM {} wants it and has it not, because: {}", open[0].vmid,
                         plan_.outcomes.at(place).why);
    }

    std::string by_hand(
        const Place& place, const Situation& situation, const ByHand& hand,
        const std::vector<unsigned>& has) const {
        if (hand.kind == ByHand::Kind::detached)
            return has.empty() ? "" : "it was detached by hand, and a VM has it";
        if (!has.empty())
            return has.front() == hand.vmid ? "" : "it was attached by hand to another VM";
        if (standing(hand.vmid) != Standing::open ||
            has_excuse(place, situation, hand.vmid, hand.force))
            return "";
        return "it was attached by hand, and is not there: " + plan_.outcomes.at(place).why;
    }

    std::span<const Rule> rules_of_vm(unsigned vmid) const {
        for (const auto& vm : world_.rules)
            if (vm.vmid == vmid)
                return vm.rules;
        return {};
    }

    static bool a_pi_may_yet_speak(const Situation& situation) {
        return situation.import && (!situation.pi || !situation.pi->linked);
    }

    /// A reason that lies outside, for what a VM wants and does not get.
    bool has_excuse(
        const Place& place, const Situation& situation, unsigned vmid, bool force) const {
        if (!force && outside_.uses.contains(place))
            return true;
        for (const auto& use : world_.native) {
            const LocalDevice* here = situation.openable();
            if (!force && here && use.place == here->device.place)
                return true;
        }
        const RealQemu& qemu = outside_.qemus.at(vmid);
        // Few ports, of which a rule may name one that another device has.
        if (qemu.controllers.empty() || !qemu.devices.empty())
            return true;
        if (place.is_local())
            return false;
        const RealPi& pi = outside_.pis.at(place.pi);
        if (!pi.linked || pi.elsewhere.contains(place))
            return true;
        if (const auto port = outside_.port_of(place))
            return outside_.ports.at(*port).odd;
        // SuperSpeed ports are one a controller; any of that speed may be taken.
        const bool super = is_super(situation.device()->speed);
        const auto table = outside_.vhci_table();
        return std::none_of(table.begin(), table.end(), [&](const VhciPort& row) {
            return row.super == super && row.state == VhciPort::State::free;
        });
    }

    /// No import without a VM that has it or wants it.
    std::string of_import(const RealPort& import) const {
        if (!import.ours || !holders(import.place).empty() ||
            !outside_.pis.at(import.place.pi).linked)
            return "";
        const auto outcome = plan_.outcomes.find(import.place);
        if (outcome == plan_.outcomes.end())
            return "it is imported, and nobody knows of it";
        return outcome->second.vmid || outcome->second.state == DeviceState::waiting
                   ? ""
                   : "it is imported for nobody";
    }

    const World& world_;
    const Outside& outside_;
    const Plan& plan_;
    std::map<Place, Situation> situations_;
};

} // namespace

std::string broken_at_rest(const World& world, const Outside& outside, const Plan& plan) {
    return AtRest(world, outside, plan).law();
}

World in_other_order(const World& world) {
    World other = world;
    for (auto& vm : other.rules)
        std::reverse(vm.rules.begin(), vm.rules.end());
    std::reverse(other.native.begin(), other.native.end());
    for (auto& [vmid, vm] : other.vms)
        if (vm.view) {
            std::reverse(vm.view->devices.begin(), vm.view->devices.end());
            std::reverse(vm.view->controllers.begin(), vm.view->controllers.end());
        }
    return other;
}

std::vector<std::string> essence(const Plan& plan) {
    std::vector<std::string> all;
    for (const auto& action : plan.actions) {
        const auto* detach = std::get_if<DetachImport>(&action);
        all.push_back(
            detach ? fmt::format("detach {}", detach->place.to_string()) : to_string(action));
    }
    std::sort(all.begin(), all.end());
    return all;
}

} // namespace longcord::model
