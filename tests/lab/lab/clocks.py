# SPDX-License-Identifier: MIT
"""Times of several machines on one clock: this machine's. Each machine's own clock is compared with it again and again,
since under emulation they drift apart by the second; in between it is taken to run evenly."""

import bisect
import socket
import time

TRIPS = 25


class Clock:
    def __init__(self, machine):
        self.machine = machine
        self.compared = []  # (ns by the machine's clock, ns that ours is ahead of it)
        self.unsure = 0     # ns: the worst error that any comparison can have, half of its round trip
        self.asked = None

    def start(self):
        """Also after the machine has booted anew."""
        self.machine.run("systemctl stop lab-clock 2>/dev/null; rm -f /run/lab-clock")
        self.machine.run("systemd-run --quiet --collect --unit=lab-clock -p Nice=-5 lab-stamps clock /run/lab-clock; "
                         "until [ -S /run/lab-clock ]; do sleep 0.1; done")
        path = self.machine.folder / "clock"
        self.machine.ssh.forward(path, "/run/lab-clock")
        self.asked = socket.socket(socket.AF_UNIX)
        self.asked.settimeout(30)
        self.asked.connect(str(path))
        self.compared = []
        self.compare()

    def compare(self):
        """The shortest of some round trips tells most: its answer was given somewhere within it."""
        trips = []
        for _ in range(TRIPS):
            before = time.monotonic_ns()
            self.asked.sendall(b"?")
            there = int.from_bytes(self.asked.recv(8, socket.MSG_WAITALL), "big")
            after = time.monotonic_ns()
            trips.append((after - before, there, (before + after) // 2 - there))
        trip, there, ahead = min(trips)
        self.unsure = max(self.unsure, trip // 2)
        self.compared.append((there, ahead))
        return there

    def here(self, there):
        """Seconds of this machine's monotonic clock, of the machine's nanoseconds since the epoch."""
        at = bisect.bisect(self.compared, (there,))
        if len(self.compared) == 1:
            return (there + self.compared[0][1]) / 1e9
        at = min(max(at, 1), len(self.compared) - 1)
        (one, ahead), (other, ahead_then) = self.compared[at - 1:at + 1]
        ahead += (ahead_then - ahead) * (there - one) / (other - one)
        return (there + ahead) / 1e9
