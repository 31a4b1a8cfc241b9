# SPDX-License-Identifier: MIT
"""RFC 2217 servers on pseudo terminals: how long a byte takes, how many get through, at what cost."""
import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tests" / "serial"))
from servers import SERVERS, Server  # noqa: E402
from tools import compiled  # noqa: E402

TITLE = "Serial: RFC 2217"
ROUNDS = 5
TRIPS = 500          # a round
SIZES = (1, 64, 1024)
MEGABYTE = 1_000_000
POURED = {"pyserial": 4, "longcord": 24, "socat": 24}  # megabytes a round each way; else 8
WHOLE = 100          # megabytes, both ways at once: nothing may be lost
PORTS = 8
OURS, FLOOR, TUNED = "longcord", "socat", "ser2net-tuned"


def say(text):
    print(f"   {text}", file=sys.stderr, flush=True)


def percentile(values, percent):
    return sorted(values)[min(len(values) - 1, round(len(values) * percent / 100))]


def measure_trips(ports, emit):
    for size in SIZES:
        times = {name: [] for name in ports}
        lost = dict.fromkeys(ports, 0)
        for _ in range(ROUNDS):
            for name, port in ports.items():
                seen = port.load("trips", size=size, count=TRIPS)
                times[name] += seen["ns"]
                lost[name] += seen["lost"]
        for name, ns in times.items():
            emit({"figure": "round-trip", "server": name, "size": size, "trips": len(ns), "lost": lost[name],
                  "p50_us": round(percentile(ns, 50) / 1000, 1), "p99_us": round(percentile(ns, 99) / 1000, 1)})
            say(f"{size:5} bytes there and back: {name:16} p50 {percentile(ns, 50) / 1000:7.1f} us")


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
    for name, kind in SERVERS.items():
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
        ports = {name: stack.enter_context(Server(kind, folder))[0] for name, kind in SERVERS.items()}
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


def targets(rows):
    """(what, measured, target, met)"""
    for size in SIZES:
        ours, floor, tuned = (one(rows, figure="round-trip", server=name, size=size) for name in (OURS, FLOOR, TUNED))
        ratio = ours["p50_us"] / floor["p50_us"]
        yield f"p50 of {size} B, against socat", f"{ratio:.2f}×", "≤ 1.2×", ratio <= 1.2
        ratio = ours["p99_us"] / tuned["p99_us"]
        yield f"p99 of {size} B, against tuned ser2net", f"{ratio:.2f}×", "< 1×", ratio < 1
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
        f"has all byte values. {ROUNDS} rounds of {TRIPS} trips and of 4 to 24 MB; throughput and CPU are medians of "
        "the rounds, CPU is user and system time of the server. `ser2net` is as Debian ships it, `ser2net-tuned` has "
        "`chardelay: false` and `nodelay`, `pyserial` is the example of Debian's package.",
        round_trips(rows), throughput(rows), rest(rows),
        table(["target", "measured", "wanted", ""],
              [[what, seen, wanted, "met" if met else "**missed**"] for what, seen, wanted, met in targets(rows)])])
