# SPDX-License-Identifier: MIT
"""A VM's QEMU crashes, stands still, or somebody else sits on its monitor; or its monitor is nothing to rely on."""

import time
from functools import partial

from campaign.fault import Fault
from campaign.stage import FIRST, SECOND

VMID = 100
OTHER = 101
OTHER_WITHIN = 30   # seconds, emulated
HOLDER = f"""
import signal, socket
client = socket.socket(socket.AF_UNIX)
client.connect("/run/qemu-server/{VMID}.qmp")
client.recv(1)
open("/run/lab-hold.taken", "w").close()
signal.pause()
"""


def crash(stage):
    stage.vm(VMID).kill()


def start_again(stage):
    stage.start(VMID)


def take_monitor(stage):
    """A client that has its greeting and says nothing: nobody else is heard meanwhile."""
    stage.lab.node.put(HOLDER, "/run/lab-hold.py")
    stage.lab.node.run("rm -f /run/lab-hold.taken; systemd-run --quiet --collect --unit=lab-hold python3 /run/lab-hold.py")
    stage.wait(lambda: stage.lab.node.run("ls /run/lab-hold.taken"), "the monitor to be taken")


def leave_monitor(stage):
    stage.lab.node.run("systemctl stop lab-hold")


def freeze(stage):
    stage.lab.node.run(f"kill -STOP $(cat /run/qemu-server/{VMID}.pid)")


def thaw(stage):
    stage.lab.node.run(f"kill -CONT $(cat /run/qemu-server/{VMID}.pid)")


def for_two_minutes(stage):
    """As long as a backup's client may: the time is the fault."""
    end = time.monotonic() + 120
    others_go_on(stage)
    while time.monotonic() < end:
        stage.look()


def spoil(how, stage):
    seed = stage.random.randrange(1 << 32)
    stage.lab.node.run(f"rm -f /run/lab-bad-qmp.ready; systemd-run --quiet --collect --unit=lab-bad-qmp "
                       f"lab-bad-qmp {VMID} {how} {seed}")
    stage.wait(lambda: stage.lab.node.run("ls /run/lab-bad-qmp.ready"), "the monitor to be spoilt")


def spoilt_no_more(stage):
    stage.lab.node.run(f"systemctl stop lab-bad-qmp; ls /run/qemu-server/{VMID}.qmp && ! ls /run/qemu-server/{VMID}.qmp.real")


def others_go_on(stage):
    """There is something to say to that monitor, and the other VM's device comes and goes as if nothing was."""
    replug(stage, FIRST)
    if SECOND.name in stage.plugged and stage.vm(OTHER).running():
        stage.unplug(SECOND.name)
        stage.wait(lambda: SECOND.serial not in stage.look().guests[OTHER], "the other VM to lose its device")
        stage.plug(SECOND.name)
        stage.wait(lambda: SECOND.serial in stage.look().guests[OTHER], "the other VM to have it back", OTHER_WITHIN)


def replug(stage, board):
    if board.name in stage.plugged:
        stage.unplug(board.name)
        stage.look()
        stage.plug(board.name)


FAULTS = [
    Fault("QEMU killed", crash, start_again, vmid=VMID, rough=4),
    Fault("monitor taken by another client", take_monitor, leave_monitor, vmid=VMID, keeps=True),
    Fault("monitor taken for two minutes", take_monitor, leave_monitor, lasts=for_two_minutes, vmid=VMID, rough=16),
    *(Fault(f"monitor {name}", partial(spoil, how), spoilt_no_more, lasts=others_go_on, vmid=VMID, rough=4)
      for how, name in (("slow", "answers slowly"), ("astray", "answers out of turn"), ("garbage", "says garbage"),
                        ("mute", "never answers"))),
    # Its guest says nothing either, so it loses nothing.
    Fault("QEMU stopped", freeze, thaw, vmid=VMID, keeps=True),
]
