// SPDX-License-Identifier: MIT
// A made-up world for planner tests: Pis, devices, VMs and rules in a few words, and a kernel and
// QEMUs that do what an action asks (or refuse), so that plans can be applied until nothing is
// left.
#pragma once

#include "plan/changes.hpp"
#include "plan/planner.hpp"
#include "rules/parse.hpp"

#include <functional>
#include <string>

#include <doctest/doctest.h>

namespace longcord::test {

class Town {
  public:
    Town();

    World world;
    TimePoint now{std::chrono::hours(1)};

    // What is there.
    Town& pi(const std::string& name);
    Town& device(
        const std::string& place, const std::string& id = "1a86:55d4",
        const std::string& serial = "", std::uint8_t configurations = 1);
    Town& local(const std::string& place, const std::string& id = "0403:6001");
    Town& hub(const std::string& place);
    Town& vm(unsigned vmid, RunState state = RunState::running);
    Town& qemu(unsigned vmid, RunState state); ///< goes over to it, and nobody is told
    Town& vm_without_xhci(unsigned vmid);
    Town& controllers(unsigned vmid, std::vector<GuestController> controllers);
    /// By somebody else, and nobody is told.
    Town& quiet_controllers(unsigned vmid, std::vector<GuestController> controllers);
    Town& rules(unsigned vmid, const std::string& text);

    /// What the host does with the device there, until it is told otherwise.
    Town& host_uses(const std::string& place, HostUse use);

    /// Its kernel takes an import of it and answers no transfer.
    Town& mute(const std::string& place);
    Town& vhci_controllers(unsigned count); ///< each has 8 high speed and 8 SuperSpeed ports

    // What happens.
    void unplug_device(const std::string& place); ///< at the Pi, or a local one
    void replug_device(const std::string& place);
    void stop_vm(unsigned vmid);
    void somebody_removes(unsigned vmid, const std::string& id); ///< device_del by hand
    /// vhci frees the port by itself; the device that the kernel is to remove then. None: no
    /// import.
    std::optional<LocalDevice> stream_ends(const std::string& place);
    void stream_dies(const std::string& place); ///< and the kernel has removed it
    void restart_service(); ///< forgets the World, and rebuilds it from what is really there

    Plan plan() const { return longcord::plan(world, now); }
    std::vector<std::string> planned() const; ///< the actions in words
    Outcome outcome(const std::string& place) const;

    /// Plans and applies until the plan is empty. Returns the number of rounds, checks the bound.
    unsigned settle(unsigned most_rounds = 12);
    /// Applies one action. Every action is offered to `refuse` first: an error it returns is how
    /// the action ends.
    void apply(const Action& action);
    std::function<Result<>(const Action&)> refuse;
    /// The next session of this VM plugs what it is asked to, and no answer comes.
    Town& falls_silent(unsigned vmid);

    /// What the VM's QEMU really has: ids, sorted.
    std::vector<std::string> inside(unsigned vmid) const;
    std::vector<Place> imported() const; ///< by vhci, really
    std::vector<std::string> done;       ///< every action applied, in words

  private:
    struct RealImport {
        Place place;
        Device device;
        bool ready = false;
    };
    void do_action(const Action& action);
    void plug_into_qemu(const PlugDevice& plug);
    LocalDevice enumerated(unsigned port, const RealImport& import) const;
    void look(unsigned vmid);
    std::vector<VhciPort> vhci_table() const;
    const Device* real_device(const Place& place) const;

    std::map<std::string, std::map<Place, Device>> pis_;
    std::map<Place, LocalDevice> locals_;
    std::map<Place, HostUse> uses_;
    std::map<unsigned, VmView> qemus_;
    std::map<unsigned, int> pids_;
    std::map<unsigned, RealImport> vhci_;
    std::set<Place> mutes_;
    std::set<unsigned> silent_;
    unsigned vhci_controllers_ = 1; ///< as Proxmox VE's kernel
    unsigned next_devnum_ = 2;
    int next_pid_ = 1000;
};

} // namespace longcord::test
