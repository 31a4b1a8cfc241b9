# SPDX-License-Identifier: MIT
"""Three ways from a plug on the Pi to a device in the VM, one at a time in one lab: Longcord, the least that can be done
(onboard/lab-floor), and scripts as people write them (scripted/)."""

from concurrent.futures import ThreadPoolExecutor

from lab import paths
from lab.longcord import Longcord
from lab.wait import Timeout

# What the kernel does by itself with a device that comes through vhci, and how fast: see set_root_hubs in
# src/usbip/authorize.cpp.
HUBS = """for hub in /sys/devices/platform/vhci_hcd.*/usb*; do
    echo {authorised} >$hub/authorized_default
    echo {authorised} >$hub/interface_authorized_default
    for port in $hub/*-0:1.0/usb*-port*; do echo {quirks} >$port/quirks; done
done
"""

RUN_FLOOR = """systemctl stop lab-floor 2>/dev/null; rm -f /run/lab-floor
systemd-run --quiet --collect --unit=lab-floor -p StandardOutput=truncate:/run/lab-floor lab-floor {words}
timeout 30 sh -c 'until grep -q ready /run/lab-floor; do sleep 0.1; done'"""


class Way:
    name = None
    longcord = None  # while its services run

    def __init__(self, lab, vm):
        self.lab = lab
        self.vm = vm

    def begin(self, places):
        """Everything that can be ready before a plug. `places`: the Pi's busids that are used."""

    def end(self):
        """Leaves nothing of it."""

    def in_place(self, places):
        """After the guest has them: waits until the way's own programs are done, too."""

    def both(self, on_pi, on_node):
        """A shell line on each, at the same time."""
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda one: one[0].run(one[1]), ((self.lab.pi, on_pi), (self.lab.node, on_node))))

    def services(self, run):
        """Masked when they are off, since a board that is plugged starts the Pi's."""
        if run:
            self.both("systemctl unmask --runtime --quiet longcord-pi; systemctl start longcord-pi",
                      "systemctl start longcord-host")
        else:
            self.both("systemctl mask --runtime --now --quiet longcord-pi", "systemctl stop longcord-host")


class LongcordWay(Way):
    name = "longcord"

    def begin(self, places):
        self.services(True)
        self.longcord = Longcord(self.lab)
        self.longcord.wait_linked()

    def in_place(self, places):
        for busid in places:
            self.longcord.wait_state(f"workbench/{busid}", "plugged")

    def end(self):
        self.longcord = None
        self.services(False)


class Floor(Way):
    name = "floor"

    def begin(self, places):
        """The hubs as Longcord has them: no driver of the node, no waiting for a cable."""
        self.lab.node.run(HUBS.format(authorised=0, quirks=3) + RUN_FLOOR.format(words=f"node {self.vm.vmid}"))
        self.lab.pi.run(RUN_FLOOR.format(words=f"pi {self.lab.node.address} {' '.join(places)}"))

    def in_place(self, places):
        def all_plugged():
            said = self.lab.node.read("/run/lab-floor")
            if "failed" in said:
                raise Timeout(said)
            return said.count(" plugged ") == len(places)
        self.lab.wait(all_plugged, what="the floor to be done")

    def end(self):
        self.both(*2 * ["systemctl stop lab-floor; rm -f /run/lab-floor"])


class Scripted(Way):
    name = "scripted"

    def __init__(self, lab, vm):
        """Everything but the rules, which make them run."""
        super().__init__(lab, vm)
        for machine, side in ((lab.pi, "pi"), (lab.node, "node")):
            machine.ssh.put_tree(paths.LAB / "scripted" / side)
        # The ports of the node's first vhci controller, where usbip attaches.
        ports = "for hub in /sys/devices/platform/vhci_hcd.0/usb*; do echo ${hub##*/usb}-; done"
        lab.node.put(lab.node.run(ports), f"/etc/scripted/{vm.vmid}.usb.conf")
        lab.pi.put(lab.node.images.ssh_key, "/root/.ssh/push", mode="600")
        lab.pi.run(f"ssh -i /root/.ssh/push -o StrictHostKeyChecking=accept-new root@{lab.node.address} true")

    def begin(self, places):
        """The hubs as the kernel has them."""
        rules = "mkdir -p /run/udev/rules.d; cp /etc/scripted/*.rules /run/udev/rules.d; udevadm control --reload"
        self.both(rules, HUBS.format(authorised=1, quirks=0) + rules)
        self.lab.pi.start_usbipd()

    def end(self):
        no_rules = "cd /etc/scripted; for rules in *.rules; do rm /run/udev/rules.d/$rules; done; udevadm control --reload"
        self.both("systemctl stop lab-usbipd; " + no_rules, no_rules)
