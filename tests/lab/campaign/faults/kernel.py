# SPDX-License-Identifier: MIT
"""What a machine runs out of, and what its kernel has to say all at once: a full disk, a clock that jumps, a storm of
uevents, no vhci port left, somebody else's import beside ours."""

import time
from functools import partial

from campaign.fault import Fault
from campaign.stage import FILLER, STRANGER

# Blocks that are promised and not written: the machine's own disk does not grow by it.
FILL = """
import os
file = os.open("/var/lib/lab-full", os.O_CREAT | os.O_WRONLY)
size, at = os.statvfs("/").f_bfree * 4096, 0
while size >= 4096:
    try:
        os.posix_fallocate(file, at, size)
        at += size
    except OSError:
        size //= 2
print(os.statvfs("/").f_bfree)
"""
YEAR = 365 * 24 * 3600
STORMS = 20


def fill_disk(where, stage):
    stage.machine(where).python(FILL)


def empty_disk(where, stage):
    stage.machine(where).run("rm -f /var/lib/lab-full")


def jump(where, stage):
    """Forth and back: to what is stamped in between, time has gone backwards."""
    for seconds in (YEAR, -YEAR):
        stage.machine(where).run(f"date -s @{int(time.time() + seconds)}")
        stage.look()


def right_time(where, stage):
    stage.machine(where).run(f"date -s @{time.time():.3f}")


def uevents(where, stage):
    stage.machine(where).run(f"for n in $(seq {STORMS}); do udevadm trigger --action=change --subsystem-match=usb; done")


def calm(where, stage):
    stage.machine(where).run("udevadm settle --timeout=100")


def fill_vhci(stage):
    """Every port for high and full speed that is left gets a device of nobody's."""
    stage.lab.node.run("rm -f /run/lab-fill-vhci; systemd-run --quiet --collect --unit=lab-fill-vhci lab-fill-vhci")
    stage.wait(lambda: stage.lab.node.run("cat /run/lab-fill-vhci"), "the ports to be taken")


def free_vhci(stage):
    stage.lab.node.run("systemctl stop lab-fill-vhci")
    stage.wait(lambda: not any(one.ids in ("", FILLER) for one in stage.look().imports), "the ports to be free")


def foreign_attach(stage):
    busid = stage.lab.pi.plug(STRANGER).split("/")[1]
    address = stage.lab.pi.address
    stage.wait(lambda: f"{busid}:" in stage.lab.node.run(f"usbip list -r {address} 2>&1", check=False).stdout,
               "the stranger's board to be offered")
    stage.lab.node.run(f"usbip attach -r {address} -b {busid}")
    stage.wait(lambda: "ttyACM" in stage.lab.node.run("ls /dev"), "the node's own driver to have it")


def foreign_detach(stage):
    port = next(one.port for one in stage.look().imports if one.ids == STRANGER.ids)
    stage.lab.node.run(f"usbip detach -p {port}")
    stage.lab.pi.unplug(STRANGER)


FAULTS = [
    *(Fault(f"disk full on the {name}", partial(fill_disk, where), partial(empty_disk, where), keeps=True)
      for where, name in (("node", "node"), ("pi", "Pi"))),
    *(Fault(f"clock jumps on the {name}", partial(jump, where), partial(right_time, where), keeps=True)
      for where, name in (("node", "node"), ("pi", "Pi"))),
    *(Fault(f"many uevents on the {name}", partial(uevents, where), partial(calm, where), keeps=True)
      for where, name in (("node", "node"), ("pi", "Pi"))),
    Fault("no vhci port left", fill_vhci, free_vhci, keeps=True, rough=8),
    Fault("a foreign attach", foreign_attach, foreign_detach, keeps=True, rough=2),
]
