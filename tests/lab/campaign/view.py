# SPDX-License-Identifier: MIT
"""What is seen of the lab at one moment, as plain data: by the kernels, by QEMU and by the guests. Nothing in it is
Longcord's own word."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Import:
    """A used port of a node's vhci, and what the node's kernel shows there."""
    port: int
    busid: str = ""                # "" until the kernel has enumerated it
    ids: str = ""
    serial: str = ""
    node: str = ""                 # /dev/bus/usb/005/002
    drivers: tuple = ()            # of its interfaces
    openers: tuple = ()            # VMIDs whose QEMU has `node` open


@dataclass(frozen=True)
class Plug:
    """A usb-host device in a VM's QOM."""
    vmid: int
    name: str
    node: str
    attached: bool = True


@dataclass(frozen=True)
class Process:
    name: str
    machine: str = "node"
    pid: int = 0                   # 0: it does not run
    unit: str = "active"           # systemd's word; "" for what is no unit
    rss_kib: int = 0
    fds: int = 0


@dataclass(frozen=True)
class View:
    time: float                    # monotonic seconds of whoever looks
    seen: frozenset = frozenset()  # machines that answered
    imports: tuple = ()
    local: frozenset = frozenset()   # device nodes of the node's own USB
    plugs: tuple = ()
    monitors: dict = field(default_factory=dict)   # VMID -> QEMU's status; None: there was no answer
    processes: tuple = ()
    guests: dict = field(default_factory=dict)     # VMID -> serials of the boards whose tty the guest has
    notes: tuple = ()              # what the watch on the node has noticed since the last look (onboard/lab-watch)

    def process(self, name):
        return next((process for process in self.processes if process.name == name), None)
