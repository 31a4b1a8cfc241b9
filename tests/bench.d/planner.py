# SPDX-License-Identifier: MIT
"""The planner over worlds of 10 to 10,000 devices: how time, allocations and memory grow."""
import json
import subprocess
from pathlib import Path

TITLE = "Planner"
REPOSITORY = Path(__file__).resolve().parents[2]


def measure(emit):
    subprocess.run(["cmake", "--build", "--preset", "release", "--target", "bench_planner"], cwd=REPOSITORY,
                   check=True, stdout=subprocess.DEVNULL)
    done = subprocess.run([REPOSITORY / "build/release/bin/bench_planner"], capture_output=True, text=True, check=True)
    for line in done.stdout.splitlines():
        emit(json.loads(line))


def page(rows):
    table = ["| VMs | Pis | devices | plan | a device | allocations a plan | event written | World |",
             "|--:|--:|--:|--:|--:|--:|--:|--:|"]
    for row in rows:
        table.append(f"| {row['vms']} | {row['pis']} | {row['devices']} | {row['plan_us'] / 1000:.2f} ms | "
                     f"{row['plan_us'] / row['devices']:.2f} µs | {row['plan_allocations']:.0f} | "
                     f"{row['event_us']:.1f} µs, {row['event_allocations']:.0f} allocations | {row['world_kb']} kB |")
    large, small = rows[-1], rows[-2]
    growth = large["plan_us"] / small["plan_us"]
    return "\n".join([
        "Every VM has eight rules: four by place, three by identity anywhere, one that denies; all VMs run. `plan` is "
        "one whole plan, the median of 15; there is one a turn of the loop, however many events came.",
        "", *table, "",
        f"Ten times the devices, VMs and Pis (1,000 to 10,000 devices) take {growth:.1f} times the time."])
