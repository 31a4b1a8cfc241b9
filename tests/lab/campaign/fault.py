# SPDX-License-Identifier: MIT
"""A fault: a named thing with a begin and an end. What is on between the two is no matter of time: `lasts` says what
has to have been seen before it may end."""

from dataclasses import dataclass
from typing import Callable

LOOKS = 3   # while a fault is on that changes nothing to wait for, the laws are looked at so often


def a_few_looks(stage):
    for _ in range(LOOKS):
        stage.look()


@dataclass(frozen=True)
class Fault:
    name: str
    begin: Callable
    end: Callable = lambda stage: None
    lasts: Callable = a_few_looks
    back_within: float = 60       # seconds from its end until everything claimed is there again
    takes: frozenset = frozenset()   # machines that have no power while it is on
    vmid: int | None = None       # the VM that has to run for it
    keeps: bool = False           # no guest may lose a device by it
    rough: int = 1                # how seldom a soak has it: once where others are there `rough` times


def everything():
    """All of them, by name, in the order of their files."""
    from campaign.faults import hostile, kernel, network, power, processes, pve_files, qemu
    found = {}
    for module in (network, power, processes, qemu, pve_files, kernel, hostile):
        for fault in module.FAULTS:
            assert fault.name not in found, fault.name
            found[fault.name] = fault
    return found
