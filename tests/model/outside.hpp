// SPDX-License-Identifier: MIT
// What the planner cannot see: the machines themselves. Pis with their devices, vhci, the QEMUs of
// this node. It changes by what happens and by what the service does; what the service hears of
// that are notes, which wait in line until they are read.
#pragma once

#include "plan/world.hpp"
#include "proxmox/running_vm.hpp"

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace longcord::model {

/// Something that a source of the service would read next. What the kernel says is looked up when
/// it is read, as udev's events are; what a Pi says is what it said then.
struct Note {
    enum class Kind { listed, added, removed, available, device, gone, vms, configs } kind{};
    std::vector<Device> devices = {}; ///< listed, added
    Place place = {};                 ///< removed, available
    std::string sysname = {};         ///< device, gone
    unsigned devnum = 0;              ///< gone; 0: it was never enumerated
};

struct RealPi {
    bool linked = false;
    bool plain = false;
    std::map<Place, Device> devices;
    std::set<Place> elsewhere; ///< another node has its stream
    std::set<Place> told_busy; ///< of those, what this node was refused
};

/// A vhci port that is in use.
struct RealPort {
    bool ours = false;
    Place place;
    Device device;       ///< as the Pi has it
    bool odd = false;    ///< answers with other descriptors than the Pi announced
    unsigned devnum = 0; ///< 0: not enumerated yet
    bool authorized = false;
    unsigned configuration = 0;
    bool interfaces_authorized = false;
};

struct RealQemu {
    int pid = 0;
    RunState state = RunState::running;
    std::vector<GuestController> controllers;
    std::vector<GuestDevice> devices;
    std::set<std::string> ours; ///< ids of those that the service plugged
};

class Outside {
  public:
    static constexpr unsigned vhci_ports = 6; ///< two controllers of 2 high speed and 1 SuperSpeed

    std::map<std::string, RealPi> pis;
    std::map<Place, LocalDevice> locals;
    std::map<Place, HostUse> uses;
    std::map<unsigned, RealPort> ports;
    std::map<unsigned, LocalDevice>
        leaving; ///< by the port that vhci has freed: the hub is busy yet
    std::map<unsigned, RealQemu> qemus;
    std::map<unsigned, VmConfig> configs;
    std::map<std::string, std::deque<Note>> notes; ///< by who says it: a Pi, "kernel", "vms"

    // What happens by itself or by others.
    void pi_plugs(const Place& place, Device device);
    void pi_unplugs(const Place& place);
    void local_plugs(LocalDevice device);
    void local_unplugs(const Place& place);
    void frees(unsigned port);   ///< a stream ended, or a detach
    void removes(unsigned port); ///< the hub has had the time for what was left there
    void enumerates(unsigned port, bool odd);
    void starts(unsigned vmid, RunState state);
    void stops(unsigned vmid);

    // What the service reads.
    std::vector<VhciPort> vhci_table() const;
    std::vector<LocalDevice> kernel_devices() const;
    std::optional<LocalDevice> kernel_device(const std::string& sysname) const;
    bool has_node(const std::string& node) const;
    /// What a session would see, and the nodes of our plugs that the process has open.
    std::pair<VmView, std::set<std::string>> view(unsigned vmid) const;
    std::vector<RunningVm> running() const;

    // What the service does. Errors: what the kernel, the Pi or QEMU would say.
    Result<> attach(const ImportDevice& action);
    Result<> authorize(const AuthorizeImport& action);
    void deauthorize(const std::string& sysname);
    Result<> plug(const PlugDevice& action);
    Result<> unplug(const UnplugDevice& action);
    Result<> add_controller(const AddController& action);

    std::optional<unsigned> port_of(const Place& place) const; ///< of ours
    /// What somebody who writes to this name in sysfs would meet: another one than this place's.
    bool is_another(const std::string& sysname, const Place& place) const;
    static std::string node_of(const LocalDevice& device);

  private:
    static std::string sysname_of(unsigned port);
    LocalDevice enumerated(unsigned port, const RealPort& import) const;

    unsigned next_devnum_ = 2;
    int next_pid_ = 1000;
};

} // namespace longcord::model
