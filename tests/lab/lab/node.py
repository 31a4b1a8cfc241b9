"""The machines `node` and `node2`: Proxmox hosts. Their VMs are nested guests, configured below /etc/pve."""

import json

from lab import pve
from lab.machine import Machine
from lab.vm import Vm

VMIDS = (100, 101)


class Node(Machine):
    def __init__(self, images, run, port, role, address):
        self.role = role
        self.address = address
        super().__init__(images, run, port)
        self.vms = {}

    def vm(self, vmid=100):
        """A VM of this node. One that has moved here (`vm.migrate`, `vm.move_config`) is among them too."""
        if vmid not in self.vms:
            self.vms[vmid] = Vm(self, vmid)
        return self.vms[vmid]

    def _before_boot(self, log):
        pve.serve(self.folder.parent / "pve", self.folder / "pve", log)

    def set_up(self):
        """What a node needs to run VMs, and to start and stop them on another node."""
        self.put(self.images.guest, "/var/lib/lab/guest.img")
        self.put(self.images.ssh_key, "/root/.ssh/id_ed25519", mode="600")

    def make_vms(self, vmids=VMIDS):
        """What pmxcfs would show of a node with these VMs."""
        for vmid in vmids:
            self.vm(vmid).configure()

    def show_cluster(self, nodes, version=1):
        """Writes .members and .vmlist, which pmxcfs makes up from who is there and from the configs it has."""
        vms = {str(vmid): {"node": node.role, "type": "qemu", "version": version} for node in nodes for vmid in node.vms}
        self.put(json.dumps({"version": version, "ids": vms}), "/etc/pve/.vmlist")
        members = {"nodename": self.role, "version": version}
        if len(nodes) > 1:  # quorate also when one of the two is dead, as with a third vote
            members["cluster"] = {"name": "lab", "version": 2, "nodes": len(nodes), "quorate": 1}
            members["nodelist"] = {node.role: {"id": position, "online": 1, "ip": node.address}
                                   for position, node in enumerate(nodes, 1)}
        self.put(json.dumps(members), "/etc/pve/.members")
