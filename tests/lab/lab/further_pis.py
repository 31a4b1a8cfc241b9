# SPDX-License-Identifier: MIT
"""More Pis for a lab that is up: machines like the first one, each linked with the node by a cable of its own."""

import contextlib

from lab import accel, install, paths
from lab.longcord import pi_yaml
from lab.machine import free_port
from lab.pi import Pi
from lab.progress import step

AT_THE_NODE = """set -e
eth=$(grep -l {mac} /sys/class/net/*/address | cut -d/ -f5)
ip address add {node}/32 dev $eth
ip link set $eth up
ip route add {pi} dev $eth src {node}"""
AT_THE_PI = """set -e
ip address flush dev eth1; ip address flush dev eth2
ip address add {pi}/32 dev eth1
ip route add {node} dev eth1 src {pi}
hostname {name}"""


class FurtherPi(Pi):
    def __init__(self, lab, number):
        self.role = f"pi{number}"
        self.name = f"workbench{number}"
        self.address = f"10.77.0.1{number}"
        super().__init__(lab.pi.images, lab.run, free_port())

    def place(self, gadget):
        return f"{self.name}/{self.busid(gadget)}"


@contextlib.contextmanager
def further_pis(lab, count):
    """With Longcord, and linked; the lab is as before afterwards."""
    pis = [FurtherPi(lab, number) for number in range(2, 2 + count)]
    try:
        with step(f"booting {count} more Pis"):
            for pi in pis:
                give_the_node_its_end(lab, pi)
                pi.boot(lab.disks / f"{pi.role}.qcow2", accel.choose(lab.pi.images))
            for pi in pis:
                pi.wait_until_up()
                pi.push_onboard()
                lay_cable(lab, pi)
        for pi in pis:
            install.add_pi(lab, pi, pi.name, paths.STAGE / "pi", pi_yaml(lab.node, name=pi.name))
        yield pis
    finally:
        for pi in pis:
            pi.destroy()
            lab.node.run(["rm", "-f", f"/etc/longcord/pis/{pi.name}"])


def mac(pi):
    return f"52:54:00:01:00:0{pi.role[2:]}"


def give_the_node_its_end(lab, pi):
    end = f"cable-{pi.role}"
    lab.node.qmp("netdev_add", type="stream", id=end, server=True, addr={"type": "unix", "path": str(lab.run / f"node-{pi.role}")})
    lab.node.qmp("device_add", driver="virtio-net-pci", id=f"card-{pi.role}", netdev=end, mac=mac(pi), romfile="")


def lay_cable(lab, pi):
    words = {"mac": mac(pi), "node": lab.node.address, "pi": pi.address, "name": pi.name}
    lab.wait(lambda: mac(pi) in lab.node.run("cat /sys/class/net/*/address"), what=f"the node to see the cable of {pi.role}")
    lab.node.run(AT_THE_NODE.format(**words))
    pi.run(AT_THE_PI.format(**words))
    lab.wait(lambda: lab.node.run(f"ping -c1 -W1 {pi.address}", check=False).returncode == 0, what=f"{pi.role} to answer")
