"""What is kept of a failed scenario, so that nobody has to run it again to see why."""

import re
import shutil

from lab import paths
from lab.progress import say

PROGRAMS = {
    "journal": "journalctl --no-pager -o short-precise -b",
    "dmesg": "dmesg",
    "usb": "cat /sys/devices/platform/vhci_hcd.0/status* 2>/dev/null; lsusb -t; ls -l /sys/bus/usb/drivers/*/ | grep -- '->'",
    "longcord": "longcord status; longcord events",
}


def keep(lab, name, failure):
    """Collects journals, kernel logs and consoles below build/lab-artifacts/NAME, and says where they are."""
    folder = paths.ARTIFACTS / re.sub(r"[^\w.-]+", "_", name)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "failure").write_text(failure + "\n")
    for machine in lab.machines:
        for program, line in PROGRAMS.items():
            try:
                done = machine.run(line, check=False, timeout=60)
                (folder / f"{machine.role}-{program}").write_text(done.stdout + done.stderr)
            except Exception as error:  # a machine that is down is a reason to be here, not to stop here
                (folder / f"{machine.role}-{program}").write_text(f"not to be had: {error}\n")
        for log in ("console.log", "qemu.log"):
            if (machine.folder / log).exists():
                shutil.copy(machine.folder / log, folder / f"{machine.role}-{log}")
    for vm in lab.vms():
        lines = (f"{moment:.3f} {line}\n" for moment, line in vm.guest.heard)
        (folder / f"guest-{vm.vmid}.console").write_text("".join(lines))
    say(f"kept what there is to know: {folder}")
    return folder
