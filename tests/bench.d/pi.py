# SPDX-License-Identifier: MIT
"""longcord-pi while nothing happens: memory, wake-ups and processor, alone, linked, and with 8 exports."""
import os
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tests" / "process"))
os.environ.setdefault("LONGCORD_BIN", str(REPOSITORY / "build/release/bin"))

from idle import CALM, WATCHED, add_bound_boards, at_rest, at_rest_table  # noqa: E402

TITLE = "The Pi's service, idle"
EXPORTS = 8
TARGET = 8192  # kB, idle


def measure(emit):
    from pairing_world import Node, Pi
    node = Node().up()
    machines = [node]
    try:
        for exports in (0, EXPORTS):
            pi = Pi()
            machines.append(pi)
            if exports:
                add_bound_boards(pi.root / "sys", exports)
            pi.serve()
            if not exports:
                emit({"figure": "idle", "state": "alone", **at_rest(pi.process.pid)})
            pi.join(node.pair(f"pi{exports}"))
            pi.wait_links("pve1")
            emit({"figure": "idle", "state": f"linked, {exports} exports", **at_rest(pi.process.pid)})
    finally:
        for machine in reversed(machines):
            machine.close()


def page(rows):
    worst = max(row["rss_kb"] for row in rows)
    verdict = "met" if worst <= TARGET else "**missed**"
    return ("longcord-pi beside a real sshd and longcord-host, devices in a small fake `/sys`; "
            f"after {CALM} s, over {WATCHED} s. The node's heartbeat is one ping a second.\n\n{at_rest_table(rows)}\n\n"
            f"Target: at most {TARGET} kB resident when idle: {worst} kB, {verdict}.\n")
