# SPDX-License-Identifier: MIT
"""Which fault comes when: a pure function of the seed and a number, so that turn 812 of a seed is the same turn in
every run, whatever happened before it and however long the run is."""

import random
from dataclasses import dataclass

FAULTS_EVERY = 4     # one turn in so many has a fault
RESTARTS_EVERY = 5   # and one in so many is a VM's restart, where the others are boards' unplug and plug
BOARD_SHARE = 0.8    # so likely it is for each board that it takes part; one does always


@dataclass(frozen=True)
class Turn:
    number: int
    act: str              # "replug" boards, all at once, or "restart" a VM
    targets: tuple        # the boards' names, or the one VMID
    fault: str | None = None
    # When the fault begins: "rest", and there is no act; "leaving" once the boards were pulled or the VM was stopped,
    # without waiting for what comes of it; "coming" once they were plugged in.
    moment: str = "rest"

    def __str__(self):
        told = f"turn {self.number}: {self.act} {' '.join(map(str, self.targets))}"
        return f"{told}, {self.fault} ({self.moment})" if self.fault else told


def turn(seed, number, boards, vmids, faults):
    """`faults`: name -> how seldom (1, 2, ...). The order in which they are given is of no account."""
    chance = random.Random(f"{seed}:{number}")
    restart = chance.randrange(RESTARTS_EVERY) == 0
    if restart:
        targets = [chance.choice(sorted(vmids))]
    else:
        targets = [board for board in sorted(boards) if chance.random() < BOARD_SHARE] or [chance.choice(sorted(boards))]
    fault = moment = None
    if chance.randrange(FAULTS_EVERY) == 0 and faults:
        names = sorted(faults)
        fault = chance.choices(names, [1 / faults[name] for name in names])[0]
        moment = chance.choice(("rest", "leaving") if restart else ("rest", "leaving", "coming"))
    return Turn(number, "restart" if restart else "replug", tuple(targets), fault, moment or "rest")


def chance(seed, number):
    """For what a fault does by chance itself: random bytes have a seed too."""
    return random.Random(f"{seed}:{number}:fault")


@dataclass(frozen=True)
class Step:
    """An event that a plug or an unplug was seen to make, in the log of one of the machines."""
    machine: str
    act: str      # "plug" or "unplug"
    kind: str


@dataclass(frozen=True)
class Kill:
    step: Step
    process: str  # a name of processes.py

    def __str__(self):
        return f"{self.process} at {self.step.act}: {self.step.kind} (log of {self.step.machine})"


def steps(machine, act, events):
    """Each kind once, in the order in which they were first seen."""
    return [Step(machine, act, kind) for kind in dict.fromkeys(event["kind"] for event in events)]


def kills(found, processes):
    """Every process at every step."""
    return [Kill(step, process) for step in found for process in processes]
