# SPDX-License-Identifier: MIT
"""From a plug on the Pi to a device in the VM and back, on real kernels, beside the least that can be done and beside
scripts as people write them."""
import os
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lab"))

TITLE = "Plug: from the Pi to the guest"
ROUNDS = int(os.environ.get("LONGCORD_BENCH_ROUNDS", 5))
WAYS = ("floor", "longcord", "scripted")

from lab.tables import pick, spread, table, verdict  # noqa: E402
from lab.versions import of_the_lab as versions  # noqa: E402,F401


def measure(emit):
    from lab import session
    from lab.come_and_go import make
    from lab.gadget import Gadget
    from lab.ways import Floor, LongcordWay, Scripted
    board = Gadget()
    with session.observed_lab() as (lab, vm, observer):
        vm.write_rules("workbench 1a86:55d4")
        ways = [way(lab, vm) for way in (Floor, LongcordWay, Scripted)]
        ways[0].services(False)
        try:
            make(lab, [board])
            for way in ways[:2]:  # the emulator translates what runs for the first time
                come_and_go(lambda row: None, observer, way, board, 0)
            for number in range(ROUNDS):
                for way in ways:
                    come_and_go(emit, observer, way, board, number)
        finally:
            ways[0].services(True)


def come_and_go(emit, observer, way, board, number):
    """Longcord twice: the Pi's drivers are asked what a board is when it comes for the first time, and not again."""
    from lab.come_and_go import come_and_go as measured
    way.begin([way.lab.pi.busid(board)])
    for case in ("first", "again") if way.name == "longcord" else ("again",):
        emit({"figure": "plug", "round": number, "case": case, **measured(observer, way, [board])})
    way.end()


# --- the page ---------------------------------------------------------------------------------------------------------


def kinds(rows):
    """(what a line is called, its rows), in order."""
    for way in WAYS:
        for case in ("first", "again"):
            if some := pick(rows, way=way, case=case):
                yield way + (", first time" if case == "first" else ""), some


def how_long(rows):
    keys = ("attached_ms", "tty_ms", "detached_ms", "tty_gone_ms")
    head = ["ms, median (least to most)", "plug: attached in QEMU", "guest has the tty", "unplug: out of QEMU",
            "guest's tty gone"]
    return table(head, [[name, *(spread([row[key] for row in some]) for key in keys)] for name, some in kinds(rows)])


def where_it_goes(rows):
    """Medians of what each step took, after the one before, in the order in which they mostly ended."""
    lines = []
    for name, some in kinds(rows):
        before = [0] * len(some)
        ended = {step: [row["steps"][step] for row in some] for step in some[0]["steps"]}
        for step, now in sorted(ended.items(), key=lambda each: statistics.median(each[1])):
            took = [one - other for one, other in zip(now, before)]
            lines.append([name, step, spread(took), f"{statistics.median(now):.0f}"])
            before, name = now, ""
    return table(["", "step", "took, ms", "since the uevent"], lines)


def compared(ours, theirs, key):
    """Round by round: the median of the ratios, and the least and the most."""
    ratios = [one[key] / other[key] for one, other in zip(ours, theirs)]
    return statistics.median(ratios), spread(ratios, 2, "×")


def targets(rows):
    """(what, measured, wanted, verdict)"""
    def of(way):
        return pick(rows, way=way, case="again")
    ratio, seen = compared(of("longcord"), of("floor"), "attached_ms")
    yield "plug to attached, against the floor", seen, "≤ 1.25×", verdict(ratio <= 1.25)
    ratio, seen = compared(of("longcord"), of("floor"), "detached_ms")
    yield "unplug to out of QEMU, against the floor", seen, "≤ 1.25×", verdict(ratio <= 1.25)
    ratio, seen = compared(of("scripted"), of("longcord"), "attached_ms")
    yield "plug to attached, the scripted way against Longcord", seen, "≥ 10×", verdict(ratio >= 10)


def page(rows):
    unsure = max(row["unsure_ms"] for row in rows)
    return "\n\n".join([
        "Two machines with Debian's kernels and a nested guest (`tests/lab`), all of them emulated (TCG): ratios count, "
        f"not times. {ROUNDS} rounds of the three ways in turn, after one that does not count; Longcord's services are "
        "stopped while another way is measured.",
        "`floor` knows device, VM and ports beforehand, is connected already, checks and seals nothing, and does what the "
        "kernels and QEMU cannot do without (`tests/lab/onboard/lab-floor`). `scripted` is udev, ssh, `usbip attach` and "
        "a Python script for each USB event, as published (`tests/lab/scripted`). `longcord, first time`: the service was "
        "just started, so the Pi's own drivers have the board first; from then on they do not (`docs/adr/0002`).",
        "A plug begins when the Pi's kernel says `New USB device found`, an unplug when it says `USB disconnect`. "
        "`attached in QEMU` and `out of QEMU` are QEMU's own trace (`usb_port_attach`, `usb_port_detach`), the tty is the "
        "nested guest's word. Every time is stamped by the machine it happens on. The two machines' clocks are compared "
        "with this machine's by the shortest of 25 round trips before and after each plug, and taken to run evenly in "
        f"between: a time from one machine to the other was wrong by {unsure:.1f} ms at most. Events of Longcord have whole ms.",
        how_long(rows), where_it_goes(rows),
        table(["target", "measured", "wanted", ""], targets(rows))])
