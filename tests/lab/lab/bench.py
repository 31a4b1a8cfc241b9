"""The lab as scenarios see it: `lab.pi`, `lab.node`, the cable between them, and what they do together."""

import json
import os
import shutil
import tempfile
from pathlib import Path

from lab import accel, artifacts, images, install, paths
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
        self.node = Node(built, run, ports["node"])
        self.machines = (self.node, self.pi)   # in the order of booting: the node listens for the cable
        self.cut = False
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
        lab = cls(built, run, disks, {"pi": free_port(), "node": free_port()})
        try:
            with step(f"booting two machines ({accelerator[1].split(',')[0]})"):
                for machine in lab.machines:
                    machine.boot(disks / f"{machine.role}.qcow2", accelerator)
                for machine in lab.machines:
                    machine.wait_until_up()
                    machine.push_onboard()
                lab.node.set_up()
        except BaseException:
            artifacts.keep(lab, "boot")
            lab.destroy()
            raise
        lab.save()
        return lab

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
        ports = {machine.role: machine.port for machine in self.machines}
        state = {"run": str(self.run), "disks": str(self.disks), "ports": ports, "images": built, "product": self.product}
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

    # -- what scenarios do with both machines --------------------------------------------------------------------

    def cut_cable(self):
        """Pulls the cable between Pi and node, silently: no reset, and neither machine loses its carrier."""
        self.pi.qmp("set_link", name="cable", up=False)
        self.cut = True

    def restore_cable(self):
        self.pi.qmp("set_link", name="cable", up=True)
        self.cut = False

    def echo_through(self, gadget, vm, tty="ttyACM0", data=b"longcord\r\n"):
        """Sends bytes from the gadget on the Pi to the guest and back again, through everything in between."""
        vm.guest.run(f"echo_on {tty}")
        try:
            return self.pi.exchange(gadget, data, data)
        finally:
            vm.guest.run(f"echo_off {tty}")

    def reset(self):
        """Between scenarios: no gadget, no rule, cable in. The machines and the guests keep running."""
        self.restore_cable()
        self.node.run("rm -f /etc/pve/nodes/*/qemu-server/*.usb.conf")
        self.pi.unplug_all()
        for name in self.node.local_devices():
            self.node.unplug_local(name)
        for vm in self.node.vms.values():
            if vm.running():
                self._empty(vm)

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


def keep_wanted():
    return bool(os.environ.get("LONGCORD_LAB_KEEP"))
