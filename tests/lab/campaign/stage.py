# SPDX-License-Identifier: MIT
"""What the campaign plays on: two VMs and three boards that are alike, with rules that give two of them to VM 100 as
long as it runs, and to VM 101 otherwise. Knows who has to have what, and looks at the laws."""

import dataclasses
import time

from campaign import laws
from campaign.look import Eyes
from lab.gadget import Gadget
from lab.longcord import SERVE_THE_LAB
from lab.wait import wait

FIRST = Gadget(name="first", serial="A1", socket=0)
SECOND = Gadget(name="second", serial="B2", socket=1)
THIRD = Gadget(name="third", serial="C3", socket=3)
STRANGER = Gadget(name="stranger", vendor=0x0483, product=0x5740, serial="S3", socket=2)   # no rule wants it
FILLER = "1209:0001"   # of onboard/lab-fill-vhci
EVIL = "mallory"       # a Pi that is paired and hostile: VM 101 wants all it has, so that it is asked for it
OF_100 = (FIRST, THIRD)   # each by a rule of its own
RULES = {100: [f"workbench {board.ids} serial={board.serial}" for board in OF_100], 101: [f"workbench {FIRST.ids}", EVIL]}
PI_YAML = SERVE_THE_LAB   # so that there can be a foreign attach


@dataclasses.dataclass(frozen=True)
class Rest:
    well: float       # seconds until a look found every law to hold
    returned: float   # seconds until the last claimed device was in its guest again; 0: none had left


class Broken(AssertionError):
    """A law was broken; the sentences are its text."""


class Stage:
    def __init__(self, lab, longcord, vmids=(100, 101)):
        self.lab, self.longcord, self.vmids = lab, longcord, vmids
        self.eyes = Eyes(lab)
        self.boards = {board.name: board for board in (FIRST, SECOND, THIRD)}
        self.plugged = set()      # names of boards that are plugged in
        self.fault = None
        self.first = {}           # (name, pid) -> Process, at rest
        self.worst = {}           # what the watch noticed, the worst of each kind
        self.latest = None

    # -- set up --------------------------------------------------------------------------------------------------

    def set_up(self):
        for vmid in self.vmids:
            self.vm(vmid).configure()
            self.vm(vmid).ensure_running()
        self.write_rules()
        self.eyes.open()
        for board in self.boards:
            self.plug(board)

    def set_up_anew(self):
        """After a failure: with nothing left of it."""
        self.fault, self.plugged, self.first = None, set(), {}
        for machine, service in ((self.lab.pi, "longcord-pi"), (self.lab.node, "longcord-host")):
            machine.run(f"systemctl reset-failed; systemctl start {service}")
        self.lab.reset()
        self.longcord.wait_linked()
        self.set_up()

    def write_rules(self):
        for vmid in self.vmids:
            self.vm(vmid).write_rules(*RULES[vmid])

    def after_boot_of_node(self):
        self.eyes.open()
        for vmid in self.vmids:
            self.start(vmid)

    # -- words for faults and turns ------------------------------------------------------------------------------

    def vm(self, vmid):
        return self.lab.node.vm(vmid)

    def machine(self, role):
        return {"pi": self.lab.pi, "node": self.lab.node}[role]

    def wait(self, condition, what, timeout=120):
        return wait(condition, timeout, what)

    def start(self, vmid):
        if not self.vm(vmid).running():
            self.vm(vmid).start()

    def plug(self, name):
        self.lab.pi.plug(self.boards[name])
        self.plugged.add(name)

    def unplug(self, name):
        self.lab.pi.unplug(self.boards[name])
        self.plugged.discard(name)

    # -- who has to have what ------------------------------------------------------------------------------------

    def holder(self, name, running):
        """The rules' word, worked out here once more: the board with a rule of its own goes to that rule's VM."""
        order = (100, 101) if self.boards[name] in OF_100 else (101,)
        return next((vmid for vmid in order if vmid in running), None)

    def terms(self, since=None, bound=0.0):
        wishes = []
        if since is not None:
            running = [vmid for vmid, status in self.latest.monitors.items() if status] if self.latest else self.vmids
            for name in sorted(self.plugged):
                holder = self.holder(name, running)
                if holder:
                    wishes.append(laws.Wish(self.boards[name].serial, holder, since, bound))
        return laws.Terms(tuple(wishes), frozenset({STRANGER.ids, FILLER}), self.first)

    # -- looking -------------------------------------------------------------------------------------------------

    def look(self):
        """One look while something is on: only what holds always is judged."""
        view = self._see()
        broken = [breach for law in laws.ALWAYS for breach in law(view, self.terms())]
        if broken:
            raise Broken("; ".join(broken))
        return view

    def come_to_rest(self, bound, begun=None):
        """Looks until all laws hold. Beyond `bound` it is a failure. `begun` (time.time()): what the times count from, if
        that was before now."""
        since, begun = time.monotonic(), begun or time.time()
        while True:
            view = self._see()
            verdict = laws.judge(view, self.terms(since, bound))
            if verdict.broken:
                raise Broken("; ".join((*verdict.broken, *verdict.unsettled)))
            if not verdict.unsettled:
                break
            if view.time - since > bound:
                raise Broken(f"after {bound:.0f} s: " + "; ".join(verdict.unsettled))
        for process in view.processes:
            self.first.setdefault((process.name, process.pid), process)
        return Rest(time.time() - begun, self._returned(begun))

    def _returned(self, begun):
        """By the guests' own words, whose moments are known better than those of a look."""
        moments = [self.vm(wish.vmid).guest.when_last(f"LAB tty\\+ .* serial={wish.serial} ", begun)
                   for wish in self.terms(0.0).wishes]
        return max((moment - begun for moment in moments if moment), default=0.0)

    def _see(self):
        self.latest = self.eyes.look(self.fault.takes if self.fault else ())
        for note in filter(laws.counts, self.latest.notes):
            if note["seconds"] > self.worst.get(note["kind"], {"seconds": 0})["seconds"]:
                self.worst[note["kind"]] = note
        return self.latest

    def figures(self):
        """Memory and descriptors of our services now, as seen."""
        return [dataclasses.asdict(process) for process in self.latest.processes]
