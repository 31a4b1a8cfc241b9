# SPDX-License-Identifier: MIT
"""What a service costs while nothing happens: its memory, and how often its threads wake up."""
import os
import time
from pathlib import Path

CALM = 4      # seconds: longer than a service waits before it gives memory back
WATCHED = 60  # seconds


def memory(pid):
    """VmRSS, RssAnon and Pss in kB."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    rollup = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
    return {"rss_kb": int(status["VmRSS"].split()[0]), "anon_kb": int(status["RssAnon"].split()[0]),
            "pss_kb": int(rollup["Pss"].split()[0])}


def code_kb(pid, name):
    """How much of its own code is in its page tables."""
    sizes, inside = 0, False
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if line[0] in "0123456789abcdef":
            inside = line.endswith("/" + name)
        elif inside and line.startswith("Rss:"):
            sizes += int(line.split()[1])
    return sizes


def wake_ups(pid):
    """Of all its threads, since they began: each time one that waited went on."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        for line in (task / "status").read_text().splitlines():
            if line.startswith("voluntary_ctxt_switches"):
                total += int(line.split()[1])
    return total


def wake_ups_a_second(pid, seconds):
    """A rate needs a while: the shorter, the coarser."""
    before, began = wake_ups(pid), time.monotonic()
    time.sleep(seconds)
    return (wake_ups(pid) - before) / (time.monotonic() - began)


def least_wake_ups_a_second(pid):
    """What ticks does so in each of three whiles; what a start leaves behind, and code that has to be read from the
    disk again, does not."""
    return min(wake_ups_a_second(pid, 4) for _ in range(3))


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def at_rest(pid, watched=WATCHED):
    """What the benches of both services have of one state."""
    time.sleep(CALM)
    woken, busy, began = wake_ups(pid), cpu_seconds(pid), time.monotonic()
    time.sleep(watched)
    took = time.monotonic() - began
    return {**memory(pid), "threads": len(os.listdir(f"/proc/{pid}/task")),
            "wake_ups_per_s": round((wake_ups(pid) - woken) / took, 2),
            "cpu_ms_per_min": round((cpu_seconds(pid) - busy) / took * 60_000)}


def at_rest_table(rows):
    """In Markdown."""
    lines = ["| | RSS, kB | of it anonymous | PSS | threads | wake-ups/s, all threads | CPU, ms/min |",
             "| --- | --- | --- | --- | --- | --- | --- |"]
    for row in rows:
        lines.append(f"| {row['state']} | {row['rss_kb']} | {row['anon_kb']} | {row['pss_kb']} | {row['threads']} | "
                     f"{row['wake_ups_per_s']} | {row['cpu_ms_per_min']} |")
    return "\n".join(lines)


def add_bound_boards(sys, count):
    """Boards that usbip-host has already, as longcord-pi finds them after a restart: all are exported."""
    hub = sys / "devices/platform/fe9c0000.xhci/usb1"
    driver = sys / "bus/usb/drivers/usbip-host"
    for folder in (hub, driver, sys / "bus/usb/devices"):
        folder.mkdir(parents=True, exist_ok=True)
    (driver / "match_busid").write_text("")
    (sys / "bus/usb/devices/usb1").symlink_to(hub)
    for number in range(1, count + 1):
        busid = f"1-{number}"
        board = {"busnum": 1, "devnum": number + 1, "idVendor": "1a86", "idProduct": "55d4", "bcdDevice": "0443",
                 "bDeviceClass": "02", "bDeviceSubClass": "00", "bDeviceProtocol": "00", "authorized": 1,
                 "bNumConfigurations": 1, "speed": 12, "product": "USB Single Serial", "serial": f"A{number}",
                 "usbip_status": 1, "usbip_sockfd": ""}
        (hub / busid).mkdir()
        for name, value in board.items():
            (hub / busid / name).write_text(f"{value}\n")
        (hub / busid / "driver").symlink_to(driver)
        (driver / busid).symlink_to(hub / busid)
        (sys / "bus/usb/devices" / busid).symlink_to(hub / busid)
