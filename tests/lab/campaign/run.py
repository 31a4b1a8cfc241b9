# SPDX-License-Identifier: MIT
"""Lives through faults and turns, and takes the time that it needs for everything to be there again."""

import collections
import time

from campaign import plan
from campaign.stage import Broken
from lab.progress import say

PLUG, START = "plug to the guest's tty", "`qm start` to the guest's tty"
RETURN, STAYED, WELL = "end of a fault to the guest's tty", "a fault by which no device left", "end of a fault to every law"
QUIET_BOUND = 60   # seconds for a plug or a start with no fault: of machines that are emulated, guests in them twice


def endure(stage, fault, act=lambda: None, finish=lambda: None):
    """The act, the fault at once, and its end; then `finish`. Returns a Rest, whose times count from the first moment of
    the fault's end (the power is given back, the VM is told to start), and what guests have lost."""
    marks = {vmid: stage.vm(vmid).guest.mark() for vmid in stage.vmids if stage.vm(vmid).running()}
    act()
    stage.fault = fault
    try:
        fault.begin(stage)
        fault.lasts(stage)
    finally:
        begun = time.time()
        fault.end(stage)   # whatever has come of it: the next one wants a lab without it
        stage.fault = None
    finish()
    rest = stage.come_to_rest(fault.back_within, begun)
    return rest, [f"guest {vmid}: {line}" for vmid, mark in marks.items() for line in stage.vm(vmid).guest.log(mark)
                  if line.startswith("LAB tty-")]


def fault_at_rest(stage, fault):
    """Returns a Rest, and whether all devices stayed. A fault that may cost nobody a device must not have."""
    rest, lost = endure(stage, fault)
    if fault.keeps and lost:
        raise Broken(f"{fault.name} cost a guest its device: {lost}")
    return rest, not lost and not rest.returned


class Soak:
    def __init__(self, stage, faults):
        self.stage, self.faults = stage, faults
        self.times = {what: [] for what in (PLUG, START, RETURN, STAYED, WELL)}
        self.replugs = self.restarts = 0
        self.seen = collections.Counter()   # fault -> how often

    def live(self, turn):
        """One turn, and its time."""
        stage, fault = self.stage, self.faults.get(turn.fault)
        take_away, bring_back = self._acts(turn)
        if not fault:
            take_away(wait=True)
            begun = time.time()
            bring_back()
            rest = stage.come_to_rest(QUIET_BOUND, begun)
            self.times[PLUG if turn.act == "replug" else START].append(rest.returned)
            return
        self.seen[turn.fault] += 1
        its_vm_is_down = turn.act == "restart" and turn.targets == (fault.vmid,)
        if turn.moment == "rest" or its_vm_is_down:
            rest, _ = endure(stage, fault)
        elif turn.moment == "leaving":
            rest, _ = endure(stage, fault, lambda: take_away(wait=False), bring_back)
        else:
            take_away(wait=True)
            rest, _ = endure(stage, fault, bring_back)
        self.times[RETURN if rest.returned else STAYED].append(rest.returned)
        self.times[WELL].append(rest.well)

    def _acts(self, turn):
        stage = self.stage
        if turn.act == "restart":
            vmid = turn.targets[0]

            def stop(wait):
                stage.vm(vmid).stop()
                self.restarts += 1
            return stop, lambda: stage.start(vmid)

        def pull(wait):
            for board in turn.targets:
                stage.unplug(board)
                self.replugs += 1
            if wait:
                stage.come_to_rest(QUIET_BOUND)   # nobody has them, and nothing of them is left

        def plug():
            for board in turn.targets:
                stage.plug(board)
        return pull, plug


def soak(stage, faults, seed, numbers, minutes):
    """Turns until one fails, the numbers are used up or the time is over. Returns (how many, Soak, failure or None)."""
    lived, done, begun = Soak(stage, faults), 0, time.monotonic()
    rough = {name: fault.rough for name, fault in faults.items()}
    for number in numbers:
        if minutes and time.monotonic() - begun > minutes * 60:
            break
        turn = plan.turn(seed, number, list(stage.boards), stage.vmids, rough)
        stage.random = plan.chance(seed, number)
        say(str(turn))
        try:
            lived.live(turn)
        except Exception as error:
            return done, lived, f"{turn}: {error}  (again: --campaign --seed {seed} --first {number} --turns 1 -k soak)"
        done += 1
    return done, lived, None
