# SPDX-License-Identifier: MIT
"""What becomes of /etc/pve when pmxcfs loses its quorum, restarts, or somebody writes a rules file badly."""

from campaign.fault import Fault

SHARED = "/etc/pve/*/"


def read_only(stage):
    """As without quorum. Every bind mount of its own: a bind does not pass it on."""
    stage.lab.node.run(f"for one in {SHARED}; do mountpoint -q $one && mount -o remount,bind,ro $one; done; "
                       "! touch /etc/pve/nodes/lab-probe 2>/dev/null")


def writable(stage):
    stage.lab.node.run(f"for one in {SHARED}; do mountpoint -q $one && mount -o remount,bind,rw $one; done; "
                       "touch /etc/pve/nodes/lab-probe && rm /etc/pve/nodes/lab-probe")


def vanish(stage):
    """As while pmxcfs restarts: a folder with nothing in it."""
    stage.lab.node.run("mount -t tmpfs -o mode=755 nothing /etc/pve && ! ls -A /etc/pve | grep .")


def come_back(stage):
    stage.lab.node.run("umount /etc/pve && ls /etc/pve/qemu-server/*.conf")


def half_written(stage):
    """Not by rename: the first half of the file, with no end of line."""
    path = stage.vm(100).rules_path
    stage.lab.node.run(f"printf 'workbench 1a86:55d4 seri' >{path}")


def whole(stage):
    stage.write_rules()


def rules_gone_for_a_moment(stage):
    """An editor that removes and writes anew: it counts only after 2 s, so the second command ends it in time."""
    path = stage.vm(100).rules_path
    stage.lab.node.run(f"cp {path} /run/lab-rules && rm {path} && cp /run/lab-rules {path}")


FAULTS = [
    Fault("/etc/pve read-only", read_only, writable, keeps=True),
    Fault("/etc/pve vanished", vanish, come_back, keeps=True),
    Fault("rules file half written", half_written, whole, keeps=True),
    Fault("rules file removed and written anew", rules_gone_for_a_moment, keeps=True),
]
