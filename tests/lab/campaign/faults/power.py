# SPDX-License-Identifier: MIT
"""A machine loses its power, and gets it back."""

from campaign.fault import Fault, a_few_looks
from campaign.faults.network import guests_lose_all


def pi_off(stage):
    stage.lab.pi.run("sync /var/lib/lab/plugged")   # the lab's own: what was pulled out does not come back with the power
    stage.lab.pi.power_cut()


def pi_on(stage):
    stage.lab.pi.power_on()


def node_off(stage):
    stage.lab.node.power_cut()


def node_on(stage):
    """Its VMs do not come by themselves in this lab."""
    stage.lab.node.power_on()
    stage.after_boot_of_node()


FAULTS = [
    Fault("power cut of the Pi", pi_off, pi_on, lasts=guests_lose_all, takes=frozenset({"pi"}), back_within=90, rough=8),
    Fault("power cut of the node", node_off, node_on, lasts=a_few_looks, takes=frozenset({"node"}), back_within=90,
          rough=16),
]
