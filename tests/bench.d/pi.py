# SPDX-License-Identifier: MIT
"""longcord-pi while nothing happens: memory, wake-ups and processor, alone, linked, and with 8 exports."""
import os
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tests" / "process"))
os.environ.setdefault("LONGCORD_BIN", str(REPOSITORY / "build/release/bin"))

TITLE = "The Pi's service, idle"
EXPORTS = 8
WATCHED = 60   # seconds
TARGET = 8192  # kB, idle
CALM = 4       # seconds: longer than the service waits before it gives memory back


def measure_one(emit, state, pi):
    from idle import cpu_seconds, memory, wake_ups
    pid = pi.process.pid
    time.sleep(CALM)
    woken, busy, began = wake_ups(pid), cpu_seconds(pid), time.monotonic()
    time.sleep(WATCHED)
    took = time.monotonic() - began
    emit({"figure": "idle", "state": state, **memory(pid), "threads": len(os.listdir(f"/proc/{pid}/task")),
          "wake_ups_per_s": round((wake_ups(pid) - woken) / took, 2),
          "cpu_ms_per_min": round((cpu_seconds(pid) - busy) / took * 60_000)})


def measure(emit):
    from idle import add_bound_boards
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
                measure_one(emit, "alone", pi)
            pi.join(node.pair(f"pi{exports}"))
            pi.wait_links("pve1")
            measure_one(emit, f"linked, {exports} exports", pi)
    finally:
        for machine in reversed(machines):
            machine.close()


def page(rows):
    lines = ["longcord-pi beside a real sshd and longcord-host, devices in a small fake `/sys`; "
             f"after {CALM} s, over {WATCHED} s. The node's heartbeat is one ping a second.", "",
             "| | RSS, kB | of it anonymous | PSS | threads | wake-ups/s, all threads | CPU, ms/min |",
             "| --- | --- | --- | --- | --- | --- | --- |"]
    for row in rows:
        lines.append(f"| {row['state']} | {row['rss_kb']} | {row['anon_kb']} | {row['pss_kb']} | {row['threads']} | "
                     f"{row['wake_ups_per_s']} | {row['cpu_ms_per_min']} |")
    worst = max(row["rss_kb"] for row in rows)
    verdict = "met" if worst <= TARGET else "**missed**"
    return "\n".join(lines) + f"\n\nTarget: at most {TARGET} kB resident when idle: {worst} kB, {verdict}.\n"
