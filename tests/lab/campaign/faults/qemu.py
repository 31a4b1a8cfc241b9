# SPDX-License-Identifier: MIT
"""A VM's QEMU crashes, stands still, or somebody else sits on its monitor."""

from campaign.fault import Fault

VMID = 100
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


FAULTS = [
    Fault("QEMU killed", crash, start_again, vmid=VMID, rough=4),
    Fault("monitor taken by another client", take_monitor, leave_monitor, vmid=VMID, keeps=True),
    # Its guest says nothing either, so it loses nothing.
    Fault("QEMU stopped", freeze, thaw, vmid=VMID, keeps=True),
]
