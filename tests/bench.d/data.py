# SPDX-License-Identifier: MIT
"""What a stream carries once a device is there: a disk's data, and small packets there and back, beside stock USB/IP in
clear and through an SSH channel."""
import os
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lab"))

from lab.tables import pick, spread, table, verdict  # noqa: E402

TITLE = "Data path: what a stream carries"
ROUNDS = int(os.environ.get("LONGCORD_BENCH_ROUNDS", 3))
MIB = 16
TRIPS, SIZE = 200, 64
BUSY = "awk '/^cpu /{print $2+$3+$4+$7+$8}' /proc/stat"  # USER_HZ is 100, whatever the kernel's own


def measure(emit):
    from lab import data_ways, session
    with session.lab_for_now() as lab:
        session.install_longcord(lab)
        lab.reset()
        vm = lab.node.vm(100)
        vm.ensure_running()
        with data_ways.devices_without_a_guest(lab, vm) as places:
            for number in range(ROUNDS):
                for machine in (lab.pi, lab.node):
                    speed, message = map(float, machine.run("lab-cipher").split())
                    emit({"figure": "cipher", "round": number, "machine": machine.role, "mb_per_s": speed, "message_us": message})
                for way in (kind(lab, vm) for kind in data_ways.ALL):
                    way.begin(places)
                    try:
                        for row in moved(lab, data_ways):
                            emit({"round": number, "way": way.name, **row})
                    finally:
                        way.end()


def moved(lab, data_ways):
    machines = (lab.pi, lab.node)
    for what in ("read", "write"):
        before = [int(machine.run(BUSY)) for machine in machines]
        size, seconds = map(float, lab.node.run(f"lab-usb-data disk {data_ways.DISK.ids} {what} {MIB}", timeout=300).split())
        spent = [10 * (int(machine.run(BUSY)) - then) for machine, then in zip(machines, before)]
        yield {"figure": what, "mb_per_s": size / 1e6 / seconds,
               **{f"{machine.role}_ms_per_mb": ms / (size / 1e6) for machine, ms in zip(machines, spent)}}
    took = sorted(map(int, lab.node.run(f"lab-usb-data trips {data_ways.BOARD.ids} {SIZE} {TRIPS}", timeout=300).split()))
    yield {"figure": "trips", "p50_us": statistics.median(took), "p99_us": took[len(took) * 99 // 100]}


# --- the page ---------------------------------------------------------------------------------------------------------


def ways(rows):
    return list(dict.fromkeys(row["way"] for row in rows if "way" in row))


def figures(rows):
    lines = []
    for way in ways(rows):
        def of(figure, key, places=1):
            return spread([row[key] for row in pick(rows, way=way, figure=figure)], places)
        lines.append([way, of("read", "mb_per_s", 2), of("write", "mb_per_s", 2), of("trips", "p50_us", 0), of("trips", "p99_us", 0)])
    return table(["median (least to most)", "read, MB/s", "written, MB/s", f"{SIZE} B there and back, µs, p50", "p99"], lines)


def processor(rows):
    lines = [[way, *(f"{statistics.median(row[key] for row in pick(rows, way=way, figure=figure)):.0f}"
                     for figure in ("read", "write") for key in ("pi_ms_per_mb", "node_ms_per_mb"))] for way in ways(rows)]
    return table(["processor, ms/MB", "read: the Pi's", "the node's", "written: the Pi's", "the node's"], lines)


def compared(rows, one, other, figure, key):
    """Round by round: the median of the ratios, and the least and the most."""
    ratios = [a[key] / b[key] for a, b in zip(pick(rows, way=one, figure=figure), pick(rows, way=other, figure=figure))]
    return statistics.median(ratios), spread(ratios, 2, "×")


def targets(rows):
    """(what, measured, wanted, verdict)"""
    clear, sealed, stock, ssh = "Longcord, in clear", "Longcord, kernel TLS", "stock USB/IP", "stock through ssh"
    for figure, what in (("read", "read"), ("write", "written")):
        ratio, seen = compared(rows, clear, stock, figure, "mb_per_s")
        yield f"{what} in clear, against stock", seen, "≥ 0.95×, no slower", verdict(ratio >= 0.95)
        ratio, seen = compared(rows, sealed, ssh, figure, "mb_per_s")
        yield f"{what} sealed, against SSH", seen, "≥ 1.5×", verdict(ratio >= 1.5)
        # A byte is moved, sealed and opened, one after the other, where nothing overlaps.
        ciphers = [sum(1 / row["mb_per_s"] for row in pick(rows, figure="cipher", round=number)) for number in range(ROUNDS)]
        limits = [1 / (1 / row["mb_per_s"] + cipher) for row, cipher in zip(pick(rows, way=clear, figure=figure), ciphers)]
        ratios = [row["mb_per_s"] / limit for row, limit in zip(pick(rows, way=sealed, figure=figure), limits)]
        yield (f"{what} sealed, against what clear and twice the cipher take", spread(ratios, 2, "×"), "≥ 0.9×",
               verdict(statistics.median(ratios) >= 0.9))
    ratio, seen = compared(rows, sealed, clear, "trips", "p50_us")
    yield "there and back sealed, against clear", seen, "≤ 1.1×", verdict(ratio <= 1.1)


def page(rows):
    def own(machine, key):
        return f"{statistics.median(row[key] for row in pick(rows, figure='cipher', machine=machine)):.0f}"
    cipher = ", ".join(f"{own(machine, 'mb_per_s')} MB/s on the {name}, where TLS adds {own(machine, 'message_us')} µs to a small message"
                       for machine, name in (("pi", "Pi"), ("node", "node")))
    return "\n\n".join([
        f"Two machines with Debian's kernels (`tests/lab`), both emulated (TCG): ratios count. {ROUNDS} rounds of all ways in "
        f"turn. A disk of the Pi (a gadget's, in its page cache) is read and written, {MIB} MiB in commands of 120 KiB, and "
        f"{SIZE} bytes are sent to a serial line of the Pi and come back, {TRIPS} times; on the node a program does that by usbfs, "
        "as QEMU would (`tests/lab/onboard/lab-usb-data`). Processor: all that was busy on that machine meanwhile, of one "
        f"processor. Streams are sealed with ChaCha20-Poly1305; the kernel's alone: {cipher} (`lab-cipher`). "
        "There and back is four messages of USB/IP.",
        figures(rows), processor(rows), table(["target", "measured", "wanted", ""], targets(rows))])
