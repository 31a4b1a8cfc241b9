# SPDX-License-Identifier: MIT
"""When a VM starts, and when something comes back (cable, board, Pi): how long until the devices are in the guest. And
what Longcord's hookscript adds to a VM's start."""
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
LAB = REPOSITORY / "tests/lab"
sys.path.insert(0, str(LAB))

TITLE = "VM start, and what comes back"
ROUNDS = int(os.environ.get("LONGCORD_BENCH_ROUNDS", 5))
STARTS = max(2, ROUNDS - 2)
HOOK_ROUNDS = 40
BEFORE = {"first import done": "first_import_ms", "first attached": "first_ms", "last attached": "last_ms",
          "guest has the last tty": "tty_ms"}
HOOKS = ("shell", "longcord", "python")
HOOK_TARGET = 5  # ms more than a shell that does nothing

from lab.tables import pick, spread, table, verdict  # noqa: E402
from lab.versions import of_the_lab as versions  # noqa: E402,F401


def measure(emit):
    from lab import recoveries, session
    from lab.come_and_go import connect, disconnect, make, wait_gone, wait_in_guest
    from lab.gadget import Gadget
    from lab.install import HOOKSCRIPT
    from lab.longcord import Longcord
    boards = [Gadget(name=f"board{number}", serial=f"{number:04}", socket=number) for number in range(8)]
    measure_hook_here(emit)
    with session.observed_lab(hookscript=HOOKSCRIPT) as (lab, vm, observer):
        longcord = Longcord(lab)
        longcord.wait_linked()
        vm.write_rules("workbench 1a86:55d4")
        make(lab, boards)
        measure_hook_on_node(emit, lab.node)
        wait_gone(lab, vm)
        connect(lab, boards[:1])
        wait_in_guest(vm, boards[:1])
        for number in range(ROUNDS):
            emit({"figure": "reenumeration", "round": number, **recoveries.reenumeration(observer, longcord, boards[0])})
        connect(lab, boards[1:])
        wait_in_guest(vm, boards)
        for number in range(STARTS):
            emit({"figure": "start", "round": number, **recoveries.vm_start(observer, longcord, boards)})
        disconnect(lab, boards)
        wait_gone(lab, vm)
        lab.pi.plug(boards[0])  # for good: it is there again when the Pi is
        wait_in_guest(vm, boards[:1])
        for number in range(STARTS):
            emit({"figure": "cable", "round": number, **recoveries.cable_back(observer, longcord, boards[0])})
        emit({"figure": "reboot", "round": 0, **recoveries.pi_reboot(observer, longcord, boards[0])})


def emit_hooks(emit, where, output):
    for line in output.splitlines():
        emit({"figure": "hook", "where": where, **{name: int(ns) / 1e6 for name, ns in zip(HOOKS, line.split())}})


def measure_hook_here(emit):
    """Not emulated; there is no service that would read the notes."""
    with tempfile.TemporaryDirectory() as root:
        (Path(root) / "run/longcord/hook").mkdir(parents=True)
        line = [LAB / "onboard/lab-hook-cost", str(5 * HOOK_ROUNDS), REPOSITORY / "hookscript/longcord-hookscript",
                LAB / "scripted/hookscript.py"]
        done = subprocess.run(line, env=os.environ | {"LONGCORD_ROOT": root}, stdout=subprocess.PIPE, text=True, check=True)
    emit_hooks(emit, "here", done.stdout)


def measure_hook_on_node(emit, node):
    """The service would take the notes, and look at the VM each time."""
    node.put(LAB / "scripted/hookscript.py", "/usr/local/sbin/lab-hookscript.py", mode="755")
    node.run("systemctl stop longcord-host")
    try:
        emit_hooks(emit, "node", node.run(f"lab-hook-cost {HOOK_ROUNDS} /var/lib/vz/snippets/longcord-hookscript "
                                          "/usr/local/sbin/lab-hookscript.py", timeout=300))
    finally:
        node.run("systemctl start longcord-host")


# --- the page ---------------------------------------------------------------------------------------------------------


def hooks(rows):
    lines = []
    for where, what in (("here", "this machine, not emulated"), ("node", "the lab's node, emulated")):
        some = pick(rows, figure="hook", where=where)
        more = statistics.median(row["longcord"] - row["shell"] for row in some)
        lines.append([f"{what}, {len(some)} rounds", *(f"{statistics.median(row[name] for row in some):.2f}" for name in HOOKS),
                      f"{more:.2f}", f"< {HOOK_TARGET}: {verdict(more < HOOK_TARGET)}"])
    head = ["ms, medians", "`sh -c :`", "longcord-hookscript", "the same in Python", "Longcord's over sh", "target"]
    return table(head, lines)


def returns(rows):
    lines = []
    for figure, what in (("reenumeration", "a board that goes and comes at once, from its end"),
                         ("cable", "the network, from the cable's return"), ("reboot", "the Pi, from the command to reboot")):
        some = pick(rows, figure=figure)
        if not some:
            continue
        parts = [spread([row[key] for row in some]) if key in some[0] else ""
                 for key in ("found_ms", "linked_ms", "attached_ms", "tty_ms")]
        lines.append([f"{what}, {len(some)}×", *parts])
    return table(["what comes back, ms", "the Pi's kernel has it", "linked", "attached in QEMU", "guest has the tty"], lines)


def page(rows):
    starts = pick(rows, figure="start")
    return "\n\n".join([
        "Lab and clocks are those of `tests/bench plug`: emulated, so that ratios count, not times. Median (least to most), ms.",
        table(["VM start with 8 boards, ms from QEMU's `running`", *BEFORE],
              [[f"{len(starts)} starts", *(spread([row[key] for row in starts]) for key in BEFORE.values())]]),
        "The VM continues from a saved state, as one that hibernated. Its boards are plugged into the Pi and exported, and "
        "were in it before it was stopped. On the way, start by start: imports that failed and were tried again: "
        f"{', '.join(str(row['failed']) for row in starts)}; devices that were taken out and plugged again: "
        f"{', '.join(str(row['attaches'] - row['boards']) for row in starts)}.",
        returns(rows),
        "The cable was out until the guest had lost its tty and the node its Pi.",
        hooks(rows),
        "Whoever starts the VM waits for the hookscript: from the start of its process to its end, in turn with a shell "
        "that does nothing and with a Python script that leaves the same note."])
