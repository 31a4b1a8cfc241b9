# SPDX-License-Identifier: MIT
"""What lab-look and lab-watch both read: the kernels' own word of QEMUs, vhci's ports and who has what."""

import glob
import os


def text(path):
    try:
        with open(path) as file:
            return file.read().strip()
    except OSError:
        return ""


def qemus():
    """VMID -> pid of the nested QEMUs, by pid file and command line."""
    for path in glob.glob("/run/qemu-server/*.pid"):
        pid = text(path)
        if path.removeprefix("/run") in text(f"/proc/{pid}/cmdline"):
            yield int(os.path.basename(path)[:-4]), int(pid)


def monitor(vmid):
    """Where QEMU itself listens: beside lab-bad-qmp, if that stands before it."""
    path = f"/run/qemu-server/{vmid}.qmp"
    return f"{path}.real" if os.path.exists(f"{path}.real") else path


def opened():
    """Device node -> VMs that have it open."""
    have = {}
    for vmid, pid in qemus():
        for fd in glob.glob(f"/proc/{pid}/fd/*"):
            try:
                target = os.readlink(fd)
            except OSError:
                continue
            if target.startswith("/dev/bus/usb/"):
                have.setdefault(target, set()).add(vmid)
    return have


def bound(device):
    found = set()
    for interface in glob.glob(f"{device}/*:*.*"):
        try:
            found.add(os.path.basename(os.readlink(f"{interface}/driver")))
        except OSError:
            pass
    return found


def node_of(device):
    bus, number = text(f"{device}/busnum"), text(f"{device}/devnum")
    return f"/dev/bus/usb/{int(bus):03}/{int(number):03}" if bus and number else ""


def ports():
    """Rows of vhci's ports that are used (6, VDEV_ST_USED, or 5, not enumerated yet)."""
    for file in sorted(glob.glob("/sys/devices/platform/vhci_hcd.*/status*")):
        for row in text(file).splitlines()[1:]:
            words = row.split()
            if words[2] in ("005", "006"):
                yield int(words[1]), words[-1] if words[2] == "006" else ""
