"""The machine `node`: stands for a Proxmox host. Its VMs are nested guests, configured below /etc/pve."""

import json

from lab.machine import Machine
from lab.vm import Vm

NAME = "node"
PVE = "/etc/pve"
VMIDS = (100, 101)


class Node(Machine):
    role = "node"

    def __init__(self, images, run, port):
        super().__init__(images, run, port)
        self.vms = {}

    def vm(self, vmid=100):
        if vmid not in self.vms:
            self.vms[vmid] = Vm(self, vmid)
        return self.vms[vmid]

    def set_up(self):
        """The nested guest's initramfs, and what pmxcfs would show of a node with two VMs."""
        self.put(self.images.guest, "/var/lib/lab/guest.img")
        for vmid in VMIDS:
            self.vm(vmid).configure()
        self.show_vms(VMIDS)
        self.put(json.dumps({"nodename": NAME, "version": 3}), f"{PVE}/.members")

    def show_vms(self, vmids, version=1):
        """Writes .vmlist, which pmxcfs makes up from the configs it has."""
        ids = {str(vmid): {"node": NAME, "type": "qemu", "version": version} for vmid in vmids}
        self.put(json.dumps({"version": version, "ids": ids}), f"{PVE}/.vmlist")
