# SPDX-License-Identifier: MIT
"""Looks at the lab: one View from what the machines' lab-look prints and from what the guests have said.

A machine that does not answer is not seen, which is for the laws to judge.
"""

import json
import subprocess
import time

from campaign.view import Import, Plug, Process, View
from lab.ssh import Failed

ANSWER_WITHIN = 30   # seconds; a machine without power does not answer at all
WATCH = ("systemctl is-active --quiet lab-watch || { rm -f /run/lab-watch.notes; "
         "systemd-run --quiet --collect --unit=lab-watch lab-watch; echo new; }")


class Eyes:
    def __init__(self, lab):
        self.lab = lab
        self.offset = 0

    def open(self):
        """Starts the node's watch where it does not run: the first time, and when the node has booted."""
        if self.lab.node.run(WATCH).strip() == "new":
            self.offset = 0

    def close(self):
        self.lab.node.run("systemctl stop lab-watch", check=False)

    def look(self, blind=()):
        """`blind`: roles of machines that have no power, and need not be asked."""
        told = {machine.role: self._ask(machine) for machine in (self.lab.pi, self.lab.node) if machine.role not in blind}
        told = {role: answer for role, answer in told.items() if answer}
        node = told.get("node", {"imports": [], "local": [], "plugs": [], "monitors": {}, "notes": [], "offset": self.offset})
        self.offset = node["offset"]
        guests = {}
        for vm in self.lab.node.vms.values():
            if str(vm.vmid) in node["monitors"]:
                guests[vm.vmid] = {seen["serial"] for seen in vm.guest.sees("tty").values()}
        return View(
            time=time.monotonic(), seen=frozenset(told),
            imports=tuple(Import(**{**one, "drivers": tuple(one["drivers"]), "openers": tuple(one["openers"])})
                          for one in node["imports"]),
            local=frozenset(node["local"]), plugs=tuple(Plug(**plug) for plug in node["plugs"]),
            monitors={int(vmid): status for vmid, status in node["monitors"].items()},
            processes=tuple(Process(machine=role, **process) for role, answer in told.items()
                            for process in answer["processes"]),
            guests=guests, notes=tuple(node["notes"]))

    def _ask(self, machine):
        offset = self.offset if machine is self.lab.node else 0
        try:
            return json.loads(machine.run(f"lab-look {offset}", timeout=ANSWER_WITHIN))
        except (Failed, subprocess.TimeoutExpired, OSError, ValueError):
            return None
