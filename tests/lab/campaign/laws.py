# SPDX-License-Identifier: MIT
"""The laws, judged on what was seen: no reading here, no lab, no clock. Each law is a function of a View and the
Terms, and returns a sentence for each breach.

ALWAYS holds at every moment of every fault. AT_REST has to come true again within a bound, once a fault has ended.
"""

from dataclasses import dataclass, field

MONITOR_BOUND = 4.0      # seconds within which a VM's monitor answers
HOLD_BOUND = 1.0         # seconds for which we may have a QMP socket
HOLD_GRAIN = 0.15        # the watch looks every 50 ms; beginning and end are each seen one look late, at most
# An event history of 10,000 fills up while it runs, and an allocator gives back late. A leak grows on.
RSS_ALLOWANCE_KIB = 8 * 1024
# A client or a QMP session that is under way at this moment, and on the Pi the hub of each of three boards, which
# longcord-pi opens when the board has left for the first time, and keeps (usbip/port_claims.hpp).
FDS_ALLOWANCE = 2 + 3
OURS_IN_QMP = ("longcord-host",)
UNITS = ("longcord-host", "longcord-pi")


@dataclass(frozen=True)
class Wish:
    """A board that is plugged in and claimed: this VM has to have it, `bound` seconds after `since` at the latest."""
    serial: str
    vmid: int
    since: float
    bound: float


@dataclass(frozen=True)
class Terms:
    wishes: tuple = ()
    foreign: frozenset = frozenset()   # ids of devices that somebody else has imported: none of our business
    first: dict = field(default_factory=dict)   # (name, pid) -> Process, as first seen at rest


@dataclass(frozen=True)
class Verdict:
    broken: tuple = ()      # laws that were broken, for good
    unsettled: tuple = ()   # what has not come to rest yet

    @property
    def good(self):
        return not self.broken and not self.unsettled


def judge(view, terms):
    broken = [breach for law in ALWAYS for breach in law(view, terms)]
    unsettled = [breach for law in AT_REST for breach in law(view, terms)]
    return Verdict(tuple(broken + list(overdue(view, terms))), tuple(unsettled))


# -- always ------------------------------------------------------------------------------------------------------

def no_device_in_two_vms(view, terms):
    for one in view.imports:
        if len(set(one.openers)) > 1:
            yield f"{one.ids} {one.serial} ({one.node}) is open in VMs {sorted(set(one.openers))}"
    for note in noted(view, "shared"):
        yield f"{note['node']} was open in VMs {note['vmids']}"


def no_driver_of_the_node(view, terms):
    for one in view.imports:
        for driver in set(one.drivers) - {"usbfs"}:
            if one.ids not in terms.foreign:
                yield f"the node's {driver} has the imported {one.ids} {one.serial}"
    for note in noted(view, "driver"):
        if note["ids"] not in terms.foreign:
            yield f"the node's {note['driver']} had the imported {note['ids']}"


def no_vm_stalls(view, terms):
    """A stall counts in a VM that ran before, that nobody else has stopped or sits on, and beyond what the node itself
    was late (both are emulated)."""
    for note in filter(counts, noted(view, "stall")):
        if note["seconds"] > MONITOR_BOUND + note["late"]:
            yield (f"the monitor of VM {note['vmid']} was silent for {note['seconds']:.1f} s "
                   f"(the node itself was {note['late']:.1f} s late)")


def no_long_hold(view, terms):
    for note in filter(counts, noted(view, "hold")):
        if note["seconds"] > HOLD_BOUND + HOLD_GRAIN + note["late"]:
            yield f"{note['who']} held the QMP socket of VM {note['vmid']} for {note['seconds']:.2f} s"


# -- at rest -----------------------------------------------------------------------------------------------------

def everybody_is_seen(view, terms):
    for machine in {"pi", "node"} - view.seen:
        yield f"{machine} does not answer"
    for vmid, status in view.monitors.items():
        if status is None:
            yield f"the monitor of VM {vmid} gave no answer"


def every_import_has_an_owner(view, terms):
    for one in view.imports:
        if one.ids not in terms.foreign and not one.openers:
            yield f"vhci port {one.port} has {one.ids or 'something'} {one.serial} and no VM has it open"
    there = {one.node for one in view.imports} | view.local
    for plug in view.plugs:
        if plug.node not in there:
            yield f"VM {plug.vmid} has {plug.name} of {plug.node}, which is gone"
        elif not plug.attached:
            yield f"VM {plug.vmid} has {plug.name} and it is not attached"


def claimed_devices_are_there(view, terms):
    for wish in terms.wishes:
        if wish.serial not in view.guests.get(wish.vmid, ()):
            yield f"guest {wish.vmid} misses {wish.serial}, for {view.time - wish.since:.0f} s"


def guests_have_nothing_else(view, terms):
    for vmid, serials in view.guests.items():
        wished = {wish.serial for wish in terms.wishes if wish.vmid == vmid}
        for serial in set(serials) - wished:
            yield f"guest {vmid} has {serial}, which is not its own"


def services_are_up(view, terms):
    for unit in UNITS:
        process = view.process(unit)
        if process is None or process.unit != "active" or not process.pid:
            yield f"{unit} is not up: {process.unit if process else 'not seen'}"


def nothing_has_grown(view, terms):
    for process in view.processes:
        first = terms.first.get((process.name, process.pid))
        if not first:
            continue
        if process.rss_kib > first.rss_kib + RSS_ALLOWANCE_KIB:
            yield f"{process.name} has grown from {first.rss_kib} to {process.rss_kib} KiB"
        if process.fds > first.fds + FDS_ALLOWANCE:
            yield f"{process.name} had {first.fds} descriptors and has {process.fds}"


def overdue(view, terms):
    """A claimed device may be missing for a while, and not longer than its bound."""
    for wish in terms.wishes:
        late = view.time - wish.since
        if wish.serial not in view.guests.get(wish.vmid, ()) and late > wish.bound:
            yield f"guest {wish.vmid} misses {wish.serial} for {late:.0f} s, bound {wish.bound:.0f} s"


def counts(note):
    """A stall of a VM that ran, which nobody else has to answer for; a hold that is ours."""
    if note["kind"] == "stall":
        return note["before"] == "running" and not note["excuse"]
    return note["kind"] == "hold" and note["who"] in OURS_IN_QMP


def noted(view, kind):
    return [note for note in view.notes if note["kind"] == kind]


ALWAYS = (no_device_in_two_vms, no_driver_of_the_node, no_vm_stalls, no_long_hold)
AT_REST = (everybody_is_seen, every_import_has_an_owner, claimed_devices_are_there, guests_have_nothing_else,
           services_are_up, nothing_has_grown)
