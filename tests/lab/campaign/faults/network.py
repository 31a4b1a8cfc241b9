# SPDX-License-Identifier: MIT
"""What a network does: it is cut without a word, it flaps, it is slow and loses packets, it carries one way only."""

from campaign.fault import Fault, a_few_looks

FLAPS = 4


def cut(stage):
    stage.lab.cut_cable()


def restore(stage):
    stage.lab.restore_cable()


def flap(stage):
    for _ in range(FLAPS):
        stage.lab.cut_cable()
        stage.wait(lambda: not carries(stage), "the cable to be silent")
        stage.lab.restore_cable()
        stage.wait(lambda: carries(stage), "the cable to carry")


def carries(stage):
    return stage.lab.node.run(f"ping -c1 -W1 {stage.lab.pi.address}", check=False).returncode == 0


def way_to_node(stage):
    return stage.lab.pi.run(f"ip -o route get {stage.lab.node.address} | grep -o 'dev [^ ]*' | cut -d' ' -f2").strip()


def slow_and_lossy(stage):
    stage.lab.pi.run(f"tc qdisc add dev {way_to_node(stage)} root netem delay 200ms loss 5%")


def quick_again(stage):
    stage.lab.pi.run(f"tc qdisc del dev {way_to_node(stage)} root")


def nothing_to_node(stage):
    stage.lab.pi.run(f"ip rule add to {stage.lab.node.address} blackhole")


def to_node_again(stage):
    stage.lab.pi.run(f"ip rule del to {stage.lab.node.address} blackhole")


def guests_lose_all(stage):
    """The monitors answer on, which the watch sees to."""
    stage.wait(lambda: not any(stage.look().guests.values()), "the guests to have lost what is behind it")


FAULTS = [
    Fault("cable cut", cut, restore, lasts=guests_lose_all),
    Fault("cable flaps", flap),
    # Long enough to see what comes of it; whether a device stays in its guest is not judged while it is on.
    Fault("slow and lossy", slow_and_lossy, quick_again, lasts=a_few_looks),
    Fault("one way only", nothing_to_node, to_node_again, lasts=guests_lose_all),
]
