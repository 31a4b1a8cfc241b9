# SPDX-License-Identifier: MIT
"""Lives through faults and cycles, and takes the time that it needs for everything to be there again."""

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

    def live(self, cycle):
        """One cycle, and its time."""
        stage, fault = self.stage, self.faults.get(cycle.fault)
        take_away, bring_back = self._acts(cycle)
        if not fault:
            take_away(wait=True)
            begun = time.time()
            bring_back()
            rest = stage.come_to_rest(QUIET_BOUND, begun)
            self.times[PLUG if cycle.act == "replug" else START].append(rest.returned)
            return
        its_vm_is_down = cycle.act == "restart" and cycle.target == fault.vmid
        if cycle.moment == "rest" or its_vm_is_down:
            rest, _ = endure(stage, fault)
        elif cycle.moment == "leaving":
            rest, _ = endure(stage, fault, lambda: take_away(wait=False), bring_back)
        else:
            take_away(wait=True)
            rest, _ = endure(stage, fault, bring_back)
        self.times[RETURN if rest.returned else STAYED].append(rest.returned)
        self.times[WELL].append(rest.well)

    def _acts(self, cycle):
        stage = self.stage
        if cycle.act == "restart":
            return (lambda wait: stage.vm(cycle.target).stop()), (lambda: stage.start(cycle.target))

        def pull(wait):
            stage.unplug(cycle.target)
            if wait:
                stage.come_to_rest(QUIET_BOUND)   # nobody has it, and nothing of it is left
        return pull, lambda: stage.plug(cycle.target)


def soak(stage, faults, seed, numbers, minutes):
    """Cycles until one fails, the numbers are used up or the time is over. Returns (how many, Soak, failure or None)."""
    lived, done, begun = Soak(stage, faults), 0, time.monotonic()
    rough = {name: fault.rough for name, fault in faults.items()}
    for number in numbers:
        if minutes and time.monotonic() - begun > minutes * 60:
            break
        cycle = plan.cycle(seed, number, list(stage.boards), stage.vmids, rough)
        stage.random = plan.chance(seed, number)
        say(str(cycle))
        try:
            lived.live(cycle)
        except Exception as error:
            return done, lived, f"{cycle}: {error}  (again: --campaign --seed {seed} --first {number} --cycles 1 -k soak)"
        done += 1
    return done, lived, None
