# SPDX-License-Identifier: MIT
"""RFC 2217 servers on pseudo terminals: how long a byte takes, how many get through, at what cost."""
import os
import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY / "tests" / "serial"), str(REPOSITORY / "tests" / "lab")]
from lab.versions import installed  # noqa: E402
from servers import SERVERS, SERVICE, Server  # noqa: E402
from tools import compiled  # noqa: E402

TITLE = "Serial: RFC 2217"
ROUNDS = 5           # of throughput
TURNS = 60           # of round trips: short, so that what the machine does besides meets all servers alike
TRIPS = 300          # a turn
SLOW = {("ser2net", 1024): 30}  # takes 44 ms for each
SELDOM = {"ser2net": 6, "pyserial": 6}  # every sixth turn: they take seconds to let a client go, and set no target
SIZES = (1, 64, 1024)
MEGABYTE = 1_000_000
POURED = {"pyserial": 4, "longcord": 24, "socat": 24}  # megabytes a round each way; else 8
WHOLE = 100          # megabytes, both ways at once: nothing may be lost
PORTS = 8
SERVED = "longcord-pi"  # the same code, all ports in one process
PROCESSORS = sorted(os.sched_getaffinity(0))
OURS, FLOOR, TUNED = "longcord", "socat", "ser2net-tuned"


def versions():
    return installed(["python3-serial", "ser2net", "socat"])


def say(text):
    print(f"   {text}", file=sys.stderr, flush=True)


def run_on(number):
    """What is started from now on. Servers have one processor and the client another: where the scheduler puts
    them decides more than what they do, by a factor of two and for a whole run."""
    os.sched_setaffinity(0, {PROCESSORS[number % len(PROCESSORS)]})


def percentile(values, percent):
    return sorted(values)[min(len(values) - 1, round(len(values) * percent / 100))]


def measure_trips(ports, emit):
    """A 99th percentile is a few wake-ups of a processor, and what else a machine does comes in spells longer than a
    turn: so each turn has percentiles of its own, and a server's figure is their median."""
    for size in SIZES:
        p50, p99 = ({name: [] for name in ports} for _ in range(2))
        lost = dict.fromkeys(ports, 0)
        names = list(ports)
        for turn in range(TURNS):
            names = names[1:] + names[:1]  # nobody always comes behind the same one
            for name in names:
                if turn % SELDOM.get(name, 1) != 0:
                    continue
                seen = ports[name].load("trips", size=size, count=SLOW.get((name, size), TRIPS))
                p50[name].append(round(percentile(seen["ns"], 50) / 1000, 1))
                p99[name].append(round(percentile(seen["ns"], 99) / 1000, 1))
                lost[name] += seen["lost"]
        for name in ports:
            emit({"figure": "round-trip", "server": name, "size": size, "turns": len(p50[name]), "lost": lost[name],
                  "trips": SLOW.get((name, size), TRIPS),
                  "p50_us": round(statistics.median(p50[name]), 1), "p99_us": round(statistics.median(p99[name]), 1),
                  "p50s_us": p50[name], "p99s_us": p99[name]})
            say(f"{size:5} bytes there and back: {name:16} p50 {statistics.median(p50[name]):7.1f} us, "
                f"p99 {statistics.median(p99[name]):7.1f} us")


def measure_throughput(ports, emit):
    for way in ("up", "down"):
        speed = {name: [] for name in ports}
        cost = {name: [] for name in ports}
        for _ in range(ROUNDS):
            for name, port in ports.items():
                megabytes = POURED.get(name, 8)
                before = port.cpu_seconds()
                took = port.load(way, size=megabytes * MEGABYTE)[f"{way}_s"]
                speed[name].append(megabytes / took)
                cost[name].append((port.cpu_seconds() - before) / megabytes)
        for name in ports:
            emit({"figure": "throughput", "way": way, "server": name, "rounds": ROUNDS,
                  "mb_per_s": round(statistics.median(speed[name]), 1),
                  "cpu_ms_per_mb": round(statistics.median(cost[name]) * 1000, 2)})
            say(f"{way:4}: {name:16} {statistics.median(speed[name]):6.1f} MB/s")


def measure_loss(port, emit):
    took = port.load("both", size=WHOLE * MEGABYTE)
    emit({"figure": "whole", "server": OURS, "megabytes": WHOLE, "lost": 0,
          "up_s": round(took["up_s"], 2), "down_s": round(took["down_s"], 2)})


def measure_memory(folder, emit):
    for name, kind in {SERVED: SERVICE, **SERVERS}.items():
        server = Server(kind, folder, PORTS)
        with server as ports:
            for port in ports:
                port.load("trips", size=64, count=10)
            emit({"figure": "memory", "server": name, "ports": PORTS, **server.memory()})


def measure_reset(ports, emit):
    for name, port in ports.items():
        if name == FLOOR:
            continue  # no RFC 2217, so no lines
        gaps = [port.reset_gap() for _ in range(3)]
        emit({"figure": "reset", "server": name, "both_on_ms": round(max(gaps) * 1000, 3)})


def measure(emit):
    compiled("load.cpp")
    compiled("modem_lines.c")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        run_on(0)
        ports = {name: stack.enter_context(Server(kind, folder))[0] for name, kind in SERVERS.items()}
        run_on(1)
        measure_trips(ports, emit)
        measure_throughput(ports, emit)
        measure_loss(ports[OURS], emit)
        measure_reset(ports, emit)
        measure_memory(folder, emit)


# --- the page ---------------------------------------------------------------------------------------


def pick(rows, **wanted):
    return [row for row in rows if all(row.get(key) == value for key, value in wanted.items())]


def one(rows, **wanted):
    return pick(rows, **wanted)[0]


def table(header, lines):
    cells = [header, ["---"] * len(header), *lines]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in cells)


def servers_of(rows, figure):
    return list(dict.fromkeys(row["server"] for row in pick(rows, figure=figure)))


def round_trips(rows):
    lines = []
    for name in servers_of(rows, "round-trip"):
        line = [name]
        for size in SIZES:
            row = one(rows, figure="round-trip", server=name, size=size)
            line.append(f"{row['p50_us']} / {row['p99_us']}" + (f" ({row['lost']} lost)" if row["lost"] else ""))
        lines.append(line)
    return table(["round trip, µs, p50 / p99", *(f"{size} B" for size in SIZES)], lines)


def throughput(rows):
    lines = []
    for name in servers_of(rows, "throughput"):
        up, down = (one(rows, figure="throughput", server=name, way=way) for way in ("up", "down"))
        lines.append([name, up["mb_per_s"], down["mb_per_s"], up["cpu_ms_per_mb"], down["cpu_ms_per_mb"]])
    return table(["", "to the device, MB/s", "from the device, MB/s", "CPU ms/MB, to", "CPU ms/MB, from"], lines)


def rest(rows):
    lines = []
    for name in servers_of(rows, "memory"):
        memory = one(rows, figure="memory", server=name)
        reset = pick(rows, figure="reset", server=name)
        lines.append([name, f"{memory['rss_kb']} / {memory['pss_kb']}", memory["processes"],
                      reset[0]["both_on_ms"] if reset else "no lines"])
    return table(["", f"{PORTS} ports, kB RSS / PSS", "processes", "DTR and RTS both on in a reset, ms"], lines)


def compared(ours, theirs, key, met):
    """The median over all turns of one by the other in the same turn, within what half of the turns were, and whether
    that half is of one opinion."""
    ratios = [one / other for one, other in zip(ours[key], theirs[key])]
    low, middle, high = statistics.quantiles(ratios, n=4)
    verdict = ("met" if met(middle) else "**missed**") + ("" if met(low) == met(high) else ", within the noise")
    return f"{middle:.2f}× ({low:.2f} to {high:.2f})", verdict


def targets(rows):
    """(what, measured, target, verdict)"""
    for size in SIZES:
        ours, floor, tuned = (one(rows, figure="round-trip", server=name, size=size) for name in (OURS, FLOOR, TUNED))
        seen, verdict = compared(ours, floor, "p50s_us", lambda ratio: ratio <= 1.2)
        yield f"p50 of {size} B, against socat", seen, "≤ 1.2×", verdict
        seen, verdict = compared(ours, tuned, "p99s_us", lambda ratio: ratio < 1)
        yield f"p99 of {size} B, against tuned ser2net", seen, "< 1×", verdict
    for what, seen, wanted, met in other_targets(rows):
        yield what, seen, wanted, "met" if met else "**missed**"


def other_targets(rows):
    """(what, measured, target, met)"""
    for way, what in (("up", "to the device"), ("down", "from the device")):
        for peer in ("ser2net", TUNED):
            ours, theirs = (one(rows, figure="throughput", server=name, way=way) for name in (OURS, peer))
            ratio = ours["mb_per_s"] / theirs["mb_per_s"]
            yield f"throughput {what}, against {peer}", f"{ratio:.2f}×", "≥ 2×", ratio >= 2
            ratio = ours["cpu_ms_per_mb"] / theirs["cpu_ms_per_mb"]
            yield f"CPU per MB {what}, against {peer}", f"{ratio:.2f}×", "< 1×", ratio < 1
    gap = one(rows, figure="reset", server=OURS)["both_on_ms"]
    yield "DTR and RTS both on in a reset", f"{gap} ms", "< 1 ms", gap < 1
    whole = one(rows, figure="whole")
    yield f"{whole['megabytes']} MB both ways at once", f"{whole['lost']} lost", "0 lost", whole["lost"] == 0


def page(rows):
    return "\n\n".join([
        "The client speaks RFC 2217 (socat: plain TCP); the device is the other end of a pseudo terminal; the data "
        f"has all byte values. Round trips: {TURNS} turns of {TRIPS} trips for each server, one after the other "
        f"(pyserial and ser2net: {TURNS // SELDOM['ser2net']} turns, of {SLOW['ser2net', 1024]} trips with ser2net and "
        "1024 B); a turn has its p50 and p99, and the table has their medians. Where servers "
        "are compared, it is turn by turn: the median of the ratios, and "
        "within what half of them were; where the limit lies in there, the verdict is within the noise. "
        f"Throughput: {ROUNDS} rounds of 4 to 24 MB; it and CPU are medians of the rounds, CPU is user and system time "
        "of the server. `ser2net` is as Debian ships it, `ser2net-tuned` has "
        "`chardelay: false` and `nodelay`, `pyserial` is the example of Debian's package. `longcord` is one process of "
        "`longcord serial serve` a port; `longcord-pi` is the service with all of them, and all that it does besides. "
        "Servers have one processor, the client another.",
        round_trips(rows), throughput(rows), rest(rows),
        table(["target", "measured", "wanted", ""], targets(rows))])
