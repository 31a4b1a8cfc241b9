# SPDX-License-Identifier: MIT
"""A process is killed without a word, or stands still for a while. None of it may cost a guest its device."""

import time
from functools import partial

from campaign.fault import Fault

HOST, PI, LINK = ("node", "longcord-host"), ("pi", "longcord-pi"), ("node", "longcord-link")


def signal(how, where, name, stage):
    # One that has just ended by itself is not there to be killed.
    stage.machine(where).run(f"pkill -{how} -x {name}", check=False)


def longer_than_it_is_waited_for(stage):
    """Both ends take the other for dead by then, after 3 and 5 s: the time is the fault."""
    end = time.monotonic() + 15
    while time.monotonic() < end:
        stage.look()


def kill_sshd(stage):
    """The daemon and the Pi's session with it; the lab's own session is another child, and stays."""
    stage.lab.node.run("kill -KILL $(systemctl show -p MainPID --value ssh); pkill -KILL -u longcord; true")


def sshd_again(stage):
    stage.lab.node.run("systemctl is-active --quiet ssh || systemctl restart ssh")


FAULTS = [
    *(Fault(f"{name} killed", partial(signal, "KILL", where, name), keeps=True) for where, name in (HOST, PI, LINK)),
    *(Fault(f"{name} stopped", partial(signal, "STOP", where, name), partial(signal, "CONT", where, name),
            lasts=longer_than_it_is_waited_for, keeps=True, rough=4)
      for where, name in (HOST, PI, LINK)),
    Fault("sshd killed", kill_sshd, sshd_again, keeps=True),
]
