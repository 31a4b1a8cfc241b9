# SPDX-License-Identifier: MIT
"""What a stream carries once a device is there: a disk's data, and small packets there and back, beside stock USB/IP in
clear and through an SSH channel."""
import os
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lab"))

from lab.tables import pick, spread, table, verdict  # noqa: E402
from lab.versions import of_the_lab as versions  # noqa: E402,F401

TITLE = "Data path: what a stream carries"
ROUNDS = int(os.environ.get("LONGCORD_BENCH_ROUNDS", 3))
MIB, TIMES = 16, 3
TRIPS, SIZE = 200, 64
BUSY = "awk '/^cpu /{print 10*($2+$3+$4+$7+$8)}' /proc/stat"  # ms: USER_HZ is 100, whatever the kernel's own
QUIET = 300  # ms of processor in a second, on the node with two of them and an idle guest


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
                    speed, trip = map(float, machine.run("lab-cipher").split())
                    emit({"figure": "cipher", "round": number, "machine": machine.role, "mb_per_s": speed, "trip_us": trip})
                turn = number % len(data_ways.ALL)
                for way in (kind(lab, vm) for kind in data_ways.ALL[turn:] + data_ways.ALL[:turn]):
                    way.begin(places)
                    try:
                        lab.wait(lambda: is_quiet(lab.pi) and is_quiet(lab.node), what="what began to be over", timeout=120)
                        for row in moved(lab, data_ways):
                            emit({"round": number, "way": way.name, **row})
                    finally:
                        way.end()


def is_quiet(machine):
    return int(machine.run(f"before=$({BUSY}); sleep 1; echo $(($({BUSY}) - before))")) < QUIET


def moved(lab, data_ways):
    for what in ("read", "write"):
        before = int(lab.pi.run(BUSY))
        command = f"lab-usb-data disk {data_ways.DISK.ids} {what} {MIB} {TIMES}"
        done = [tuple(map(float, line.split())) for line in lab.node.run(command, timeout=300).splitlines()]
        megabytes = sum(size for size, _, _ in done) / 1e6
        yield {"figure": what, "mb_per_s": statistics.median(size / 1e6 / seconds for size, seconds, _ in done),
               "pi_ms_per_mb": (int(lab.pi.run(BUSY)) - before) / megabytes,
               "node_ms_per_mb": sum(busy for _, _, busy in done) / megabytes}
    took = sorted(map(int, lab.node.run(f"lab-usb-data trips {data_ways.BOARD.ids} {SIZE} {TRIPS}", timeout=300).split()))
    yield {"figure": "trips", "p50_us": statistics.median(took), "p99_us": took[len(took) * 99 // 100]}


# --- the page ---------------------------------------------------------------------------------------------------------


def ways(rows):
    """As the first round had them."""
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
        # As if nothing overlapped: a byte is moved, sealed and opened.
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
    cipher = ", ".join(f"{own(machine, 'mb_per_s')} MB/s on the {name}, where TLS adds {own(machine, 'trip_us')} µs to the four "
                       "messages of a trip" for machine, name in (("pi", "Pi"), ("node", "node")))
    return "\n\n".join([
        f"Two machines with Debian's kernels (`tests/lab`), both emulated (TCG): ratios count. {ROUNDS} rounds of all ways, "
        "each round begun by another. A disk of the Pi (a gadget's, in its page cache) is read and written, "
        f"{MIB} MiB in commands of 120 KiB {TIMES} times, and {SIZE} bytes are sent to a serial line of the Pi and come back, "
        f"{TRIPS} times; on the node a program does that by usbfs, as QEMU would (`tests/lab/onboard/lab-usb-data`). Nothing "
        "is measured before both machines are quiet. Processor: all that was busy on that machine meanwhile, of one "
        f"processor. Streams are sealed with ChaCha20-Poly1305; the kernel's alone: {cipher} (`lab-cipher`). "
        "There and back is four messages of USB/IP.",
        figures(rows), processor(rows), table(["target", "measured", "wanted", ""], targets(rows))])
