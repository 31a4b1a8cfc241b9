# SPDX-License-Identifier: MIT
"""Three ways from a plug on the Pi to a device in the VM, one at a time in one lab: Longcord, the least that can be done
(onboard/lab-floor), and scripts as people write them (scripted/)."""

from lab import install, paths
from lab.longcord import Longcord

# What the kernel does by itself with a device that comes through vhci, and how fast: see set_root_hubs in
# src/usbip/authorize.cpp.
HUBS = """for hub in /sys/devices/platform/vhci_hcd.*/usb*; do
    echo {authorised} >$hub/authorized_default
    echo {authorised} >$hub/interface_authorized_default
    for port in $hub/*-0:1.0/usb*-port*; do echo {quirks} >$port/quirks; done
done"""


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

    def hubs(self, authorised, quirks):
        self.lab.node.run(HUBS.format(authorised=authorised, quirks=quirks))

    def services(self, run):
        """Masked when they are off, since a board that is plugged starts the Pi's."""
        if run:
            self.lab.pi.run("systemctl unmask --runtime --quiet longcord-pi")
            install.run_services(self.lab.node, ["longcord-host"])
            install.run_services(self.lab.pi, ["longcord-pi"])
        else:
            self.lab.pi.run("systemctl mask --runtime --now --quiet longcord-pi")
            self.lab.node.run("systemctl stop longcord-host")


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
        self.hubs(authorised=0, quirks=3)  # as Longcord has them: no driver of the node, no waiting for a cable
        self._run(self.lab.node, "node", str(self.vm.vmid))
        self._run(self.lab.pi, "pi", self.lab.node.address, *places)

    def _run(self, machine, *words):
        machine.run("systemctl stop lab-floor 2>/dev/null; systemd-run --quiet --collect --unit=lab-floor "
                    f"-p StandardOutput=truncate:/run/lab-floor lab-floor {' '.join(words)}")
        self.lab.wait(lambda: "ready" in machine.read("/run/lab-floor"), what="the floor to be ready")

    def in_place(self, places):
        def all_plugged():
            said = self.lab.node.read("/run/lab-floor")
            if "failed" in said:
                raise AssertionError(said)
            return said.count(" plugged ") == len(places)
        self.lab.wait(all_plugged, what="the floor to be done")

    def end(self):
        for machine in (self.lab.pi, self.lab.node):
            machine.run("systemctl stop lab-floor; rm -f /run/lab-floor")


class Scripted(Way):
    name = "scripted"

    def begin(self, places):
        self.hubs(authorised=1, quirks=0)  # as the kernel has them
        for machine, side in self._sides():
            machine.ssh.put_tree(paths.LAB / "scripted" / side)
            machine.run("udevadm control --reload")
        # The ports of the node's first vhci controller, where usbip attaches.
        ports = "for hub in /sys/devices/platform/vhci_hcd.0/usb*; do echo ${hub##*/usb}-; done"
        self.lab.node.put(self.lab.node.run(ports), f"/etc/scripted/{self.vm.vmid}.usb.conf")
        self.lab.pi.put(self.lab.node.images.ssh_key, "/root/.ssh/push", mode="600")
        self.lab.pi.run("ssh -i /root/.ssh/push -o StrictHostKeyChecking=accept-new root@10.77.0.1 true")
        self.lab.pi.start_usbipd()

    def _sides(self):
        return (self.lab.pi, "pi"), (self.lab.node, "node")

    def end(self):
        self.lab.pi.stop_usbipd()
        self.lab.node.run("rm -r /etc/scripted")
        for machine, side in self._sides():
            tree = paths.LAB / "scripted" / side
            files = [f"/{file.relative_to(tree)}" for file in tree.rglob("*") if file.is_file()]
            machine.run(f"rm -f {' '.join(files)}; udevadm control --reload")
