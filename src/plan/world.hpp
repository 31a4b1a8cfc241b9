// SPDX-License-Identifier: MIT
// What is, as far as this node knows. Sources write here what they see, actions write here how they
// ended, and the planner only reads. Nothing in it is a truth of our own: after a kill -9 it is
// rebuilt from QEMU, vhci, sysfs, the links and the rules.
#pragma once

#include "base/clock.hpp"
#include "plan/action.hpp"
#include "plan/backoff.hpp"
#include "plan/flap_guard.hpp"
#include "plan/guard_facts.hpp"
#include "proxmox/vm_config.hpp"
#include "proxmox/vm_intent.hpp"
#include "qmp/vm_view.hpp"
#include "rules/claim.hpp"
#include "seal/stream_engine.hpp"
#include "usb/device.hpp"
#include "usbip/vhci_status.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace longcord {

/// Another node has a Pi's device.
struct BusyElsewhere {
    std::string why; ///< "pve2 has it for VM 101"
};

struct Pi {
    std::string address; ///< the link's own peer address: where its streams are dialled
    unsigned usbip_port = 3240;
    bool linked = false;
    TimePoint linked_since;
    bool announced = false; ///< the full list came since the link is up
    bool silent = false;    ///< down because nothing was heard, not because it was closed
    bool plain = false;     ///< a plain USB/IP server: nobody there speaks to us
    /// Its key is gone: what it served is let go, while a link that is merely lost keeps it.
    bool unpaired = false;
    std::map<Place, Device> devices;
    std::map<Place, BusyElsewhere> busy; ///< what the Pi answered `busy`, until it is available
};

/// A Pi's device on a vhci port of this node that is ours.
struct Import {
    Place place;
    std::uint32_t devid = 0;          ///< busnum << 16 | devnum on the Pi, when it was imported
    TimePoint since;                  ///< attached, or found at start
    std::optional<LocalDevice> local; ///< what the kernel here enumerated; none: not yet, or gone
    bool enumerated = false;          ///< it was there once
    std::optional<SealEngine> engine; ///< of its stream; none: direct, or found at start
    unsigned configuration = 0;       ///< the active one since it is ready; 0: not seen yet
    /// What the guest selected instead: it is authorised with that from then on.
    std::optional<unsigned> guest_configuration;
    bool ready = false;      ///< configured, every interface authorised
    TimePoint authorized_at; ///< when our last authorisation of it ended
    /// At start: a VM that has not answered since may have it plugged.
    bool found = false;
};

struct Vm {
    int pid = 0;
    bool was_there = false; ///< when the service started: until it answers, it may have anything
    std::string qmp_socket;
    std::string name;
    bool configured = false; ///< its configuration lies on this node
    VmLock lock = VmLock::none;
    std::string lock_text;
    std::vector<SavedRam> saved_ram; ///< as its configuration says
    std::string ostype;
    std::vector<std::string> buses; ///< QEMU's USB buses to use, in order; empty: any
    unsigned proxmox_ports = 0;     ///< the highest port of its xhci that a usbN line may take

    std::optional<VmView> view;       ///< what QEMU last said; none: never asked, or no answer
    std::set<std::string> open_nodes; ///< below /dev/bus/usb, as /proc said with that view
    bool stale = true;                ///< something happened since: ask before acting
    bool looking = false;             ///< a session is under way
    bool adding_controller = false;
    Backoff add_backoff; ///< of adding one
    std::string add_error;
    Backoff look_backoff;
    TimePoint look_again; ///< while it is not running: no event tells when it will be
    /// While a device waits for a port or a controller of it: nothing tells when somebody else
    /// takes something out or puts a controller in. Begins anew when the view has changed.
    Backoff ports_backoff;
};

/// What happened at a place, for patience.
struct History {
    static constexpr unsigned normal_replugs = 6;
    static constexpr unsigned normal_removals = 1; ///< a `device_del` typed by somebody

    Backoff backoff;
    std::string last_error;
    FlapGuard replugs{normal_replugs};
    FlapGuard removals{normal_removals};

    bool forgettable(TimePoint now) const noexcept {
        return backoff.may_try(now) && replugs.forgettable(now) && removals.forgettable(now);
    }
};

/// What a person decided for a place, over the rules. See by_hand.hpp.
struct ByHand {
    enum class Kind { attached, detached } kind = Kind::attached;
    unsigned vmid = 0;  ///< whose it is to be, or whose it was
    bool force = false; ///< also where a guard refuses
};

struct World {
    // Nothing is done before each of these was read once: an empty list could mean "not yet".
    bool knows_rules = false;
    bool knows_vms = false;
    bool knows_devices = false; ///< this host's devices and vhci's ports
    bool complete() const noexcept { return knows_rules && knows_vms && knows_devices; }

    /// Nothing is to be kept, whatever the rules and hands say: the package is being removed.
    bool giving_back = false;

    std::string node;                   ///< this node's own name
    std::string dev = "/dev";           ///< below it lies bus/usb
    std::map<Place, LocalDevice> local; ///< real devices of this host; nothing of vhci
    std::map<std::string, Pi> pis;
    std::vector<VhciPort> vhci;               ///< every port; empty where the module is missing
    std::map<unsigned, Import> imports;       ///< ours, by vhci port
    std::map<unsigned, Vm> vms;               ///< with a living QEMU, by VMID
    std::vector<VmRules> rules;               ///< by VMID
    std::map<unsigned, std::string> machines; ///< names of those that are no Proxmox VMs

    /// VMs whose rules could not be read since the service started: they keep what they hold.
    std::set<unsigned> rules_unread;

    std::vector<NativeUse> native; ///< usbN: lines of all VMs of this node
    std::map<Place, SeenUse> uses; ///< of local devices that a VM is about to get

    std::map<Place, Action> in_flight; ///< one action a place
    /// Plugs whose outcome is not known: this VM may have that device, until it is seen or ends.
    std::map<Place, unsigned> doubtful_plugs;
    std::map<Place, History> history;
    static constexpr std::size_t least_history_limit = 4096;
    std::size_t history_limit = least_history_limit; ///< when what is past is forgotten next

    std::map<unsigned, VmIntent> intents;  ///< by VMID
    std::set<unsigned> unsaved_intents;    ///< changed since somebody saved them
    std::map<std::string, ByHand> by_hand; ///< by stable name; made from the intents
    std::set<unsigned> quiesced;           ///< VMs whose devices are to stay out for a while
    bool hot_add = false;                  ///< a VM without controller may be given one (host.yaml)
    std::map<std::string, unsigned> vhci_pins; ///< by stable name: the vhci port it had last
    /// VMs of other nodes: what was done by hand to a Pi's device for them holds here too, and what
    /// was done to a port of their node means no port of this one.
    std::set<unsigned> vms_elsewhere;
    std::set<unsigned> vms_nowhere; ///< there is an intent, and no VM of that number any more

    /// The import of that place and its vhci port; nullptr: none.
    const std::pair<const unsigned, Import>* import_of(const Place& place) const noexcept;
    /// What the Pi last announced there; nullptr: nothing.
    const Device* announced_at(const Place& place) const noexcept;
    /// "/dev/bus/usb/003/007": the node through which QEMU opens a device of this host.
    std::string node_of(const Device& device) const;
};

/// USB/IP's name for one plugging-in of a device: busnum << 16 | devnum.
std::uint32_t devid_of(const Device& device) noexcept;

} // namespace longcord
