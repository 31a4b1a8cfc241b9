"""The lab as scenarios see it: `lab.pi`, `lab.node`, perhaps `lab.node2`, the cables between them, and what they do
together."""

import json
import os
import shutil
import tempfile
import time
from pathlib import Path

from lab import accel, artifacts, images, install, paths, pve
from lab.images import Images
from lab.machine import free_port
from lab.node import Node
from lab.pi import Pi
from lab.progress import say, step
from lab.wait import Timeout, wait


class Lab:
    wait = staticmethod(wait)

    def __init__(self, built, run, disks, ports):
        self.run = run            # sockets and logs; in /tmp, since a unix socket's path must be short
        self.disks = disks        # the machines' overlays; in the cache, since they grow
        self.pi = Pi(built, run, ports["pi"])
        self.node = Node(built, run, ports["node"], "node", "10.77.0.1")
        self.node2 = Node(built, run, ports["node2"], "node2", "10.77.0.3")
        self.machines = [self.node, self.pi]   # that are there; node2 once somebody asked for it
        self.severed = []         # pairs of machines whose cable is cut
        self.product = False      # is Longcord installed?

    # -- life ----------------------------------------------------------------------------------------------------

    @classmethod
    def boot(cls):
        """Builds what is missing, boots both machines and returns when they are up."""
        built = images.ready()
        accelerator = accel.choose(built)
        run = Path(tempfile.mkdtemp(prefix="longcord-lab-"))
        disks = paths.CACHE / "disks" / run.name
        disks.mkdir(parents=True)
        lab = cls(built, run, disks, {role: free_port() for role in ("pi", "node", "node2")})
        pve.make(run / "pve", "node")
        try:
            with step(f"booting two machines ({accelerator[1].split(',')[0]})"):
                for machine in lab.machines:
                    machine.boot(disks / f"{machine.role}.qcow2", accelerator)
                for machine in lab.machines:
                    machine.wait_until_up()
                    machine.push_onboard()
                lab.node.set_up()
                lab.node.make_vms()
                lab.node.show_cluster([lab.node])
        except BaseException:
            artifacts.keep(lab, "boot")
            lab.destroy()
            raise
        lab.save()
        return lab

    def with_node2(self):
        """Boots the second node where it is not up, and makes it one of the cluster."""
        if self.node2 in self.machines:
            return self.node2
        with step("booting the second node"):
            pve.make(self.run / "pve", "node2")
            self.machines.append(self.node2)
            self.node2.boot(self.disks / "node2.qcow2", accel.choose(self.pi.images))
            self.node2.wait_until_up()
            self.node2.push_onboard()
            self.node2.set_up()
            self.show_cluster()
        return self.node2

    def without_node2(self):
        """Ends the second node; nobody pays for it who does not need it."""
        if self.node2 in self.machines:
            self.machines.remove(self.node2)
            self.node2.destroy()
            self.show_cluster()

    def nodes(self):
        return [machine for machine in self.machines if machine is not self.pi]

    def vms(self):
        return [vm for node in self.nodes() for vm in node.vms.values()]

    def show_cluster(self):
        """What pmxcfs would make of it on every node: see Node.show_cluster."""
        for node in self.nodes():
            node.show_cluster(self.nodes(), version=time.monotonic_ns())

    def destroy(self):
        """Ends the machines and forgets everything about them."""
        if paths.STATE.exists() and json.loads(paths.STATE.read_text())["run"] == str(self.run):
            paths.STATE.unlink()
        for machine in self.machines:
            machine.destroy()
        shutil.rmtree(self.run, ignore_errors=True)
        shutil.rmtree(self.disks, ignore_errors=True)

    def alive(self):
        return all(machine.alive() for machine in self.machines)

    # -- a lab can outlive the command that booted it ------------------------------------------------------------

    def save(self):
        built = {name: str(path) for name, path in vars(self.pi.images).items()}
        ports = {machine.role: machine.port for machine in (self.pi, self.node, self.node2)}
        state = {"run": str(self.run), "disks": str(self.disks), "ports": ports, "images": built, "product": self.product,
                 "node2": self.node2 in self.machines}
        paths.STATE.write_text(json.dumps(state, indent=2))

    @classmethod
    def running(cls):
        """The lab that `up` (or an interrupted session) left running, or None."""
        try:
            state = json.loads(paths.STATE.read_text())
        except FileNotFoundError:
            return None
        built = Images(**{name: Path(path) for name, path in state["images"].items()})
        lab = cls(built, Path(state["run"]), Path(state["disks"]), state["ports"])
        lab.product = state["product"]
        if state["node2"] and lab.node2.alive():
            lab.machines.append(lab.node2)
        if not lab.alive():
            lab.destroy()
            return None
        if not images.up_to_date(built):
            say("the images' recipe has changed since this lab was booted: tests/lab/down, to get the new ones")
        for machine in lab.machines:
            if not machine.ssh.connected():
                machine.wait_until_up()
        return lab

    def install(self, host_tree, pi_tree, **options):
        """Longcord into the machines; see install.py for the options."""
        install.install(self, host_tree, pi_tree, **options)

    # -- what scenarios do with the machines ---------------------------------------------------------------------

    def cut_cable(self, one=None, other=None):
        """Cuts the cable between two machines (Pi and node), silently: no reset, and neither loses its carrier."""
        ends = (one or self.pi, other or self.node)
        set_cable(*ends, up=False)
        self.severed.append(ends)

    def restore_cable(self, one=None, other=None):
        ends = (one or self.pi, other or self.node)
        set_cable(*ends, up=True)
        self.severed = [pair for pair in self.severed if set(pair) != set(ends)]

    def echo_through(self, gadget, vm, tty="ttyACM0", data=b"longcord\r\n"):
        """Sends bytes from the gadget on the Pi to the guest and back again, through everything in between."""
        vm.guest.run(f"echo_on {tty}")
        try:
            return self.pi.exchange(gadget, data, data)
        finally:
            vm.guest.run(f"echo_off {tty}")

    def reset(self):
        """Between scenarios: no gadget, no rule, cables in, VMs at home. The machines and the guests keep running."""
        for ends in list(self.severed):
            self.restore_cable(*ends)
        self._bring_vms_home()
        self.node.run("rm -f /etc/pve/nodes/*/qemu-server/*.usb.conf")
        self.pi.unplug_all()
        for node in self.nodes():
            for name in node.local_devices():
                node.unplug_local(name)
        for vm in self.node.vms.values():
            if vm.running():
                self._empty(vm)

    def _bring_vms_home(self):
        if self.node2 not in self.machines:
            return
        self.node2.run("cat /run/qemu-server/*.pid 2>/dev/null | xargs -r kill -9; rm -f /run/qemu-server/*")
        for name in self.node2.run("ls /etc/pve/qemu-server").split():
            if name.endswith(".conf") and not name.endswith(".usb.conf"):
                self.node2.vm(int(name.removesuffix(".conf"))).move_config(self.node)
        self.show_cluster()

    def _empty(self, vm):
        """Takes out of a guest what the scenario, or the product after its rules went, has left in it."""
        if self.product:
            try:
                wait(lambda: not vm.plugged(), 30, f"Longcord to take its devices out of VM {vm.vmid}")
            except Timeout as timeout:
                say(f"between scenarios: {timeout}; taking them out by hand")
        vm.guest.run("release_all")
        for name in vm.plugged():
            vm.qmp("device_del", id=name)
        wait(lambda: not any(vm.guest.sees(kind) for kind in ("tty", "disk")), 60, f"guest {vm.vmid} to be empty")


def set_cable(one, other, up):
    """At both ends: what is under way in the socket between the two does not arrive either."""
    one.qmp("set_link", name=f"cable-{other.role}", up=up)
    other.qmp("set_link", name=f"cable-{one.role}", up=up)


def keep_wanted():
    return bool(os.environ.get("LONGCORD_LAB_KEEP"))
