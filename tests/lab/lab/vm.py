"""A VM of the node, started and stopped as Proxmox does it (onboard/qm)."""

from lab import qmp, warm
from lab.guest import Guest

CONFIG = """#lab.controller={controller}
boot: order=net0
{hookscript}memory: 192
name: guest{vmid}
ostype: l26
scsihw: virtio-scsi-single
smbios1: uuid={uuid}
{extra}"""


class Vm:
    def __init__(self, node, vmid):
        self.node = node
        self.vmid = vmid
        self.guest = Guest(node, vmid)

    # -- its files -----------------------------------------------------------------------------------------------

    @property
    def config_path(self):
        return f"/etc/pve/nodes/{self.node.role}/qemu-server/{self.vmid}.conf"

    @property
    def rules_path(self):
        return f"/etc/pve/qemu-server/{self.vmid}.usb.conf"

    @property
    def uuid(self):
        return f"00000000-0000-4000-8000-{self.vmid:012d}"

    def configure(self, controller="xhci", hookscript="", extra="", uuid=None):
        """Writes the VM's config. `controller` "none" gives a VM as Proxmox makes one without usbN lines."""
        hook = f"hookscript: {hookscript}\n" if hookscript else ""
        self.node.put(CONFIG.format(vmid=self.vmid, controller=controller, hookscript=hook, extra=extra,
                                    uuid=uuid or self.uuid), self.config_path, mode="640")

    def write_rules(self, *lines):
        self.node.put("".join(f"{line}\n" for line in lines), self.rules_path, mode="640")

    def remove_rules(self):
        self.node.run(["rm", "-f", self.rules_path])

    # -- its life ------------------------------------------------------------------------------------------------

    def running(self):
        return self.node.run(f"qm status {self.vmid}").strip() == "status: running"

    def start(self, wait_ready=True, cold=False, timeout=600):
        """`qm start`, hookscript and all; then waits for the guest's own word that it is up.

        `cold` boots it from its firmware up, which takes a minute or more; else it continues from a saved boot.
        """
        if not cold:
            warm.prepare(self)
        self.node.run(f"qm start {self.vmid} {'--cold' if cold else ''}", timeout=300)
        self.guest.listen()
        if wait_ready:
            self.guest.wait_ready(timeout)

    def stop(self):
        self.node.run(f"qm stop {self.vmid}")

    def kill(self):
        """kill -9 of its QEMU: pid and qmp files stay, no hookscript runs."""
        self.node.run(f"qm kill {self.vmid}")

    def ensure_running(self):
        if not self.running():
            self.start()
        self.guest.wait_ready()

    # -- from node to node ---------------------------------------------------------------------------------------

    def migrate(self, target, timeout=600):
        """`qm migrate VMID TARGET --online`: a live migration from QEMU to QEMU. Returns what it printed."""
        told = self.node.run(f"qm migrate {self.vmid} {target.role} --online", timeout=timeout)
        self._is_now_on(target)
        self.guest.listen(on_another_node=True)
        return told

    def move_config(self, target):
        """As HA does it with the VM of a dead node: its config is moved, and nothing else happens."""
        target.run(f"mv {self.config_path} /etc/pve/nodes/{target.role}/qemu-server/")
        self._is_now_on(target)

    def _is_now_on(self, node):
        del self.node.vms[self.vmid]
        node.vms[self.vmid] = self
        self.node = self.guest.node = node

    # -- its QEMU ------------------------------------------------------------------------------------------------

    def qmp(self, name, /, timeout=60, **arguments):
        return self.qmp_batch([(name, arguments)], timeout)[0]

    def qmp_batch(self, commands, timeout=60):
        """(name, arguments) pairs in one short session, as QEMU's single monitor wants it."""
        socket = self.node.folder / f"{self.vmid}.qmp"
        self.node.forward(socket, f"/var/run/qemu-server/{self.vmid}.qmp")
        return qmp.converse(socket, commands, timeout)

    def hmp(self, line):
        """What `qm monitor` shows: vm.hmp("info usb")."""
        return self.qmp("human-monitor-command", **{"command-line": line})

    def plugged(self):
        """Ids of the usb-host devices this QEMU has, and whether each is attached."""
        listed = self.qmp("qom-list", path="/machine/peripheral")
        ids = [entry["name"] for entry in listed if entry["type"] == "child<usb-host>"]
        attached = self.qmp_batch([("qom-get", {"path": f"/machine/peripheral/{id}", "property": "attached"}) for id in ids])
        return dict(zip(ids, attached))
