# SPDX-License-Identifier: MIT
"""longcord-host while nothing happens: memory, wake-ups and processor, alone, linked with a Pi, and with its devices."""
import os
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tests" / "process"))
os.environ.setdefault("LONGCORD_BIN", str(REPOSITORY / "build/release/bin"))

from idle import CALM, WATCHED, add_bound_boards, at_rest, at_rest_table  # noqa: E402

TITLE = "The host's service, idle"
DEVICES = (0, 8, 100)
MEMORY = 12 * 1024  # kB
# Wake-ups a second. A node's own locks are heard of by inotify, those of the cluster are looked at every now and then.
ELSEWHERE, ON_A_NODE, LINKED = 1, 4, 5


def measure(emit):
    from pairing_world import Node
    for proxmox in (False, True):
        node = Node(proxmox=proxmox)
        try:
            node.serve()
            state = "alone, with /etc/pve" if proxmox else "alone, no Proxmox"
            bound = ON_A_NODE if proxmox else ELSEWHERE
            emit({"figure": "idle", "state": state, "bound": bound, **at_rest(node.process.pid)})
        finally:
            node.close()
    for devices in DEVICES:
        with_a_pi(emit, devices)


def with_a_pi(emit, devices):
    """Rules of a VM that is stopped claim everything."""
    from host_world import wait
    from pairing_world import Node, Pi
    node, pi = Node(proxmox=True), Pi()
    try:
        folder = node.pve / "nodes/pve1/qemu-server"
        (node.pve / "qemu-server").symlink_to(folder)
        (folder / "101.conf").write_text("name: office\nmemory: 64\n")
        (folder / "101.usb.conf").write_text("workbench 1a86:55d4\n")
        node.up()
        if devices:
            add_bound_boards(pi.root / "sys", devices)
        pi.serve()
        pi.join(node.pair("workbench"))
        pi.wait_links("pve1")
        known = wait(lambda: len(seen := node.ask("status")["devices"]) == devices and [seen], node.text)[0]
        assert all("not running" in device["why"] for device in known), known
        emit({"figure": "idle", "state": f"linked, {devices} devices", "bound": LINKED, **at_rest(node.process.pid)})
    finally:
        pi.close()
        node.close()


def page(rows):
    worst = max(row["rss_kb"] for row in rows)
    lines = [f"Target: at most {MEMORY} kB resident: {worst} kB, {'met' if worst <= MEMORY else '**missed**'}."]
    for row in rows:
        woken = row["wake_ups_per_s"]
        lines.append(f"Target: at most {row['bound']} wake-ups a second, {row['state']}: {woken}, "
                     f"{'met' if woken <= row['bound'] else '**missed**'}.")
    return ("longcord-host with a small fake `/sys` and a folder for `/etc/pve`; linked: beside a real sshd and longcord-pi, "
            f"whose boards the rules of a VM that is stopped claim. After {CALM} s, over {WATCHED} s.\n\n"
            + at_rest_table(rows) + "\n\n" + "\n".join(f"* {line}" for line in lines) + "\n")
