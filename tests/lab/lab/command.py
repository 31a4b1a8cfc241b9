"""The commands beside this folder: up, down, sh."""

import os
import sys

from lab.bench import Lab
from lab.progress import say, step

ENTRIES = """The lab is up. Scenarios run by tests/lab/run use it until tests/lab/down.
  tests/lab/sh pi COMMAND     tests/lab/sh node COMMAND     tests/lab/sh guest COMMAND   (VM 100; guest:101 for 101)"""


def up():
    lab = Lab.running()
    if lab:
        say("is up already")
    else:
        lab = Lab.boot()
    with step("starting VM 100"):
        lab.node.vm(100).ensure_running()
    print(ENTRIES)


def down():
    lab = Lab.running()
    if not lab:
        say("is not up")
        return
    lab.destroy()


def sh(where, *words):
    lab = Lab.running()
    if not lab:
        sys.exit("the lab is not up: tests/lab/up")
    if where.startswith("guest"):
        vmid = int(where.partition(":")[2] or 100)
        print(lab.node.vm(vmid).guest.run(" ".join(words)), end="")
        return
    machine = {machine.role: machine for machine in lab.machines}[where]
    terminal = ["-t"] if sys.stdin.isatty() else []
    os.execvp("ssh", ["ssh", *terminal, *machine.ssh.options, "root@127.0.0.1", *words])
