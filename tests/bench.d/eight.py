# SPDX-License-Identifier: MIT
"""Eight boards that come to one Pi at once, against one alone; with several vhci controllers and with one."""
import contextlib
import os
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lab"))

TITLE = "Eight boards at once"
ROUNDS = int(os.environ.get("LONGCORD_BENCH_ROUNDS", 3))
BOARDS = 8
CONTROLLERS = (8, 1)  # of vhci: as Debian's kernels have, and those of Proxmox

from lab.tables import pick, spread, table, verdict  # noqa: E402
from lab.versions import of_the_lab as versions  # noqa: E402,F401


def measure(emit):
    from lab import session, vhci
    from lab.come_and_go import make
    from lab.gadget import Gadget
    from lab.ways import Floor, LongcordWay
    boards = [Gadget(name=f"board{number}", serial=f"{number:04}", socket=number) for number in range(BOARDS)]
    with session.observed_lab() as (lab, vm, observer):
        vm.write_rules("workbench 1a86:55d4")
        ways = [way(lab, vm) for way in (Floor, LongcordWay)]
        ways[0].services(False)
        try:
            make(lab, boards)
            for controllers in CONTROLLERS:
                with vhci.only_the_first(lab.node) if controllers == 1 else contextlib.nullcontext():
                    for number in range(ROUNDS):
                        for row in (*floor(observer, ways[0], boards), *longcord(observer, ways[1], boards)):
                            emit({"figure": "eight", "controllers": controllers, "round": number, **row})
        finally:
            ways[0].services(True)


def floor(observer, way, boards):
    """Each begin serves one plug of each board."""
    from lab.come_and_go import come_and_go
    for some in (boards[:1], boards):
        way.begin([way.lab.pi.busid(board) for board in some])
        yield come_and_go(observer, way, some)
        way.end()


def longcord(observer, way, boards):
    """After a plug that does not count: the Pi's own drivers are asked when a board comes for the first time."""
    from lab.come_and_go import come_and_go
    way.begin([])
    come_and_go(observer, way, boards)
    for some in (boards[:1], boards):
        yield come_and_go(observer, way, some)
    way.end()


# --- the page ---------------------------------------------------------------------------------------------------------


def page(rows):
    keys = ("last_came_ms", "attached_ms", "tty_ms", "detached_ms", "tty_gone_ms")
    lines, targets = [], []
    for controllers in CONTROLLERS:
        where = f"{controllers} controller{'s' if controllers > 1 else ''}"
        for way in ("floor", "longcord"):
            for count in (1, BOARDS):
                some = pick(rows, way=way, boards=count, controllers=controllers)
                lines.append([f"{where}: {way}, {count}", *(spread([row[key] for row in some]) for key in keys)])
            alone = statistics.median(row["attached_ms"] for row in pick(rows, way=way, boards=1, controllers=controllers))
            ratios = [row["attached_ms"] / alone for row in pick(rows, way=way, boards=BOARDS, controllers=controllers)]
            met = verdict(statistics.median(ratios) <= 2) if way == "longcord" else "what the kernels allow here"
            targets.append([f"{where}: the last of {BOARDS}, against one alone: {way}", spread(ratios, 2, "×"), "≤ 2×", met])
    ours = pick(rows, way="longcord", boards=BOARDS)
    head = ["ms, median (least to most), of the last board", "the Pi's kernel has it", "attached in QEMU", "guest has the tty",
            "unplug: out of QEMU", "guest's tty gone"]
    return "\n\n".join([
        "Lab, clocks and ways are those of `tests/bench plug`. The boards are on buses of their own and are plugged in by one "
        f"command. Times count from when the Pi's kernel has found the first of them; {ROUNDS} rounds, floor and Longcord in "
        "turn. The floor takes a port of another vhci controller for each board, where there are several: Debian's kernels "
        "have eight, those of Proxmox one, as the lab's has when the driver is unbound from the others.",
        table(head, lines),
        "Longcord, round by round, with 8 controllers and then with 1: steps that failed, and were tried again or read back: "
        f"{', '.join(str(row['failed']) for row in ours)}; "
        f"boards that were taken out and plugged again: {', '.join(str(row['attaches'] - BOARDS) for row in ours)}.",
        table(["target", "measured", "wanted", ""], targets)])
