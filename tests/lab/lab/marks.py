# SPDX-License-Identifier: MIT
"""What everybody says of one plug or unplug, on one clock: the Pi's and the node's kernels, QEMU's trace, the guest's
console, Longcord's events, the floor's steps. Nothing is asked while it lasts: all of it is written down and read later."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from lab import paths
from lab.clocks import Clock

TOLD_OF = ("kind", "place", "message", "took_ms")  # of an event of Longcord's
QEMU_LOG = "/run/lab/qemu.log"
CONSOLE = "/run/lab/console"
# For a VM's config. QEMU stamps these by the node's clock, in the moment they happen.
TRACED = "".join(f" -trace {event}" for event in ("usb_port_attach", "usb_port_detach", "vm_state_notify"))
ARGS = "args: -msg timestamp=on -D {log}" + TRACED + "\n"
VM_ARGS = ARGS.format(log=QEMU_LOG)

TOLD = """lab-stamps kernel {since} | sed 's/^/kernel /'
sed 's/^/floor /' /run/lab-floor 2>/dev/null
sed 's/^/guest /' %s 2>/dev/null
sed -n 's/^[0-9]*@\\([0-9]*\\)\\.\\([0-9]*\\):/qemu \\1\\2000 /p' /run/lab/qemu*.log 2>/dev/null
true""" % CONSOLE


class Marks:
    """(seconds, source, text) in order; a source is "pi kernel", "node qemu", "node events", ..."""

    def __init__(self, said):
        self.said = sorted(said)

    def all(self, source, pattern, after=0):
        return [when for when, who, text in self.said if who == source and when > after and re.search(pattern, text)]

    def first(self, source, pattern, after=0):
        found = self.all(source, pattern, after)
        if not found:
            raise LookupError(f"{source} says nothing of {pattern}; all there is: {self.story()}")
        return found[0]

    def story(self):
        return "".join(f"\n{when:.4f} {who}: {text}" for when, who, text in self.said)


class Observer:
    def __init__(self, lab, vm, *further):
        """`further`: more machines than the lab's own two."""
        self.vm = vm
        self.clocks = {machine.role: Clock(machine) for machine in (lab.pi, lab.node, *further)}
        self.since = {}
        self.kept = 0

    def start(self):
        for clock in self.clocks.values():
            clock.start()
        self.listen()

    def listen(self):
        """To the guest's console, which is another file after each start."""
        console = f"$(readlink -f /var/log/lab/{self.vm.vmid}.console)"
        self.vm.node.run("systemctl stop lab-console 2>/dev/null; systemd-run --quiet --collect --unit=lab-console "
                         f"-p StandardOutput=truncate:{CONSOLE} lab-stamps follow {console}")

    def begin(self):
        self.since = {role: clock.compare() for role, clock in self.clocks.items()}

    def unsure_ms(self):
        """By how much a time between two machines may be wrong at most."""
        return round(sum(clock.unsure for clock in self.clocks.values()) / 1e6, 2)

    def end(self, longcord=None):
        """Everything since `begin`; `longcord` where its services run."""
        with ThreadPoolExecutor() as pool:
            told = pool.map(lambda clock: self._told_by(clock, longcord), self.clocks.values())
        marks = Marks([mark for said in told for mark in said])
        self._keep(marks)
        return marks

    def _told_by(self, clock, longcord):
        clock.compare()
        role = clock.machine.role
        said = []
        for line in clock.machine.run(TOLD.format(since=self.since[role])).splitlines():
            source, stamp, text = line.split(" ", 2)
            said.append((int(stamp), source, text))
        if longcord:
            words = {"machine": clock.machine} if role.startswith("pi") else {}
            said += [(nanoseconds(event["time"]), "events", " ".join(str(event[key]) for key in TOLD_OF))
                     for event in longcord.cli("events", **words)["events"]]
        return [(clock.here(stamp), f"{role} {source}", text) for stamp, source, text in said if stamp >= self.since[role]]

    def _keep(self, marks):
        """For whoever wants to know where the time went."""
        folder = paths.ARTIFACTS / "marks"
        folder.mkdir(parents=True, exist_ok=True)
        self.kept += 1
        (folder / f"{self.kept:03}").write_text(marks.story() + "\n")


def nanoseconds(text):
    return round(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000) * 1_000_000
