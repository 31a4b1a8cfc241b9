"""One of the machines: a QEMU process here, a Debian inside, and the words to drive it."""

import os
import shlex
import signal
import socket
import subprocess
from pathlib import Path

from lab import paths, qemu, qmp
from lab.ssh import Ssh
from lab.wait import wait


class Machine:
    role = None
    hardware = qemu.PC
    boot_timeout = 300

    def __init__(self, images, run, port):
        self.images = images
        self.folder = run / self.role      # sockets and console log of this machine
        self.port = port
        self.ssh = Ssh(port, images.ssh_key, run / f"{self.role}.ssh")
        self.forwards = {}

    # -- power ---------------------------------------------------------------------------------------------------

    def boot(self, disk, accelerator):
        """Starts the machine's QEMU on a fresh overlay; `wait_until_up` waits for it."""
        self.folder.mkdir(exist_ok=True)
        overlay = ["qemu-img", "create", "-q", "-f", "qcow2", "-b", self.images.disk, "-F", "raw", disk]
        subprocess.run(overlay, check=True)
        with open(self.folder / "qemu.log", "w") as log:
            self._before_boot(log)
            line = qemu.command_line(self.role, self.images, disk, self.folder, self.port, accelerator,
                                     self.hardware)
            # A session of its own: the machine may outlive the command that booted it, and gets no Ctrl-C.
            process = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        (self.folder / "pid").write_text(str(process.pid))
        prefer(process.pid)
        wait(lambda: (self.folder / "qmp").exists() or process.poll() is not None, 60, f"the QEMU of {self.role}")
        if process.poll() is not None:
            raise RuntimeError(f"QEMU of {self.role} ended: {(self.folder / 'qemu.log').read_text()}")

    def _before_boot(self, log):
        """What a kind of machine needs beside its QEMU."""

    def wait_until_up(self):
        """Waits for sshd to answer and for the machine's own set-up to be done."""
        def answers():
            self.ssh.connect()
            return True
        wait(answers, self.boot_timeout, f"sshd of {self.role}", every=0.5)
        wait(lambda: self.run("systemctl is-system-running --wait", check=False).stdout.strip() in ("running", "degraded"),
             self.boot_timeout, f"the boot of {self.role} to end")
        for local, remote in self.forwards.items():
            self.ssh.forward(local, remote)

    def boot_id(self):
        return self.run("cat /proc/sys/kernel/random/boot_id").strip()

    def reboot(self):
        """An orderly reboot; returns when the machine is up again."""
        before = self.boot_id()
        self.run("systemctl reboot", check=False)
        self._wait_for_new_boot(before)

    def power_cut(self):
        """Takes the power away: nothing is flushed, nothing said to the network. `power_on` gives it back."""
        self.qmp("stop")
        self.ssh.close()

    def power_on(self):
        self.qmp("system_reset")
        self.qmp("cont")
        self.wait_until_up()

    def alive(self):
        try:
            pid = int((self.folder / "pid").read_text())
            return str(self.folder).encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return False

    def destroy(self):
        self.ssh.close()
        if self.alive():
            os.kill(int((self.folder / "pid").read_text()), signal.SIGKILL)
        for name in ("pid", "qmp"):
            (self.folder / name).unlink(missing_ok=True)

    def _wait_for_new_boot(self, before):
        def booted():
            self.ssh.connect()
            return self.boot_id() != before
        wait(booted, self.boot_timeout, f"{self.role} to boot again", every=1)
        self.wait_until_up()

    # -- inside --------------------------------------------------------------------------------------------------

    def run(self, command, check=True, timeout=120, input=None):
        """Runs a shell command as root. Returns its output, or the CompletedProcess with check=False."""
        return self.ssh.run(command, check, timeout, input)

    def python(self, code, timeout=120):
        """Runs a piece of Python in the machine and returns its output."""
        return self.run("python3 -", timeout=timeout, input=code)

    def put(self, content, path, mode="644"):
        """Writes a text, bytes or a file of this machine to `path`, by rename, as Proxmox does it."""
        data = content.read_bytes() if isinstance(content, Path) else content
        folder, draft = shlex.quote(str(Path(path).parent)), shlex.quote(f"{path}.tmp.1")
        self.run(f"mkdir -p {folder} && cat >{draft} && chmod {mode} {draft} && mv {draft} {shlex.quote(str(path))}",
                 input=data)

    def read(self, path):
        return self.run(["cat", str(path)])

    def journal(self, *options):
        return self.run(["journalctl", "--no-pager", "-o", "short-precise", *options])

    def forward(self, local, remote):
        """Makes a socket of the machine reachable here (see Ssh.forward), also after it has rebooted."""
        if self.forwards.get(local) != remote:
            self.ssh.forward(local, remote)
            self.forwards[local] = remote

    # -- the outer QEMU ------------------------------------------------------------------------------------------

    def qmp(self, name, /, **arguments):
        """A command to the machine's own QEMU (the nested guest's is `lab.node.vm(100).qmp`)."""
        return qmp.command(self.folder / "qmp", name, **arguments)

    def plug_local(self, name, driver, port, **properties):
        """Plugs an emulated device ("usb-kbd", "usb-serial", "usb-storage", "usb-hub", ...) into a USB port.

        Ports: "2".."8" of the controller, "1.1".."1.8" of the hub in port 1, "1.2.1".."1.2.8" of the hub below that.
        A usb-serial's bytes are at the socket `machine.folder/NAME.tty`; a usb-storage has 8 MiB of its own.
        """
        self._drop_backend(name)  # of an earlier device that was unplugged some other way
        if driver == "usb-serial":
            address = {"type": "unix", "data": {"path": str(self.folder / f"{name}.tty")}}
            self.qmp("chardev-add", id=f"{name}-bytes",
                     backend={"type": "socket", "data": {"addr": address, "server": True, "wait": False}})
            properties |= {"chardev": f"{name}-bytes", "always-plugged": True}
        if driver == "usb-storage":
            image = self.folder / f"{name}.disk"
            if not image.exists():
                image.write_bytes(os.urandom(1 << 23))
            self.qmp("blockdev-add", **{"driver": "file", "node-name": f"{name}-disk", "filename": str(image)})
            properties |= {"drive": f"{name}-disk"}
        self.qmp("device_add", driver=driver, id=name, bus="xhci.0", port=port, **properties)

    def unplug_local(self, name):
        self.qmp("device_del", id=name)
        wait(lambda: name not in self.local_devices(), 30, f"{name} to leave {self.role}")
        self._drop_backend(name)

    def _drop_backend(self, name):
        # QEMU lets go of a backend a moment after its device is gone; removing it is an error until then.
        def bytes_gone():
            labels = {chardev["label"] for chardev in self.qmp("query-chardev")}
            return f"{name}-bytes" not in labels or self.qmp("chardev-remove", id=f"{name}-bytes") == {}
        wait(bytes_gone, 30, f"{name}-bytes to be free")

        def disk_gone():
            nodes = {node["node-name"] for node in self.qmp("query-named-block-nodes")}
            return f"{name}-disk" not in nodes or self.qmp("blockdev-del", **{"node-name": f"{name}-disk"}) == {}
        wait(disk_gone, 30, f"{name}-disk to be free")

    def local_devices(self):
        """Names given to `plug_local`, of what is plugged now."""
        built_in = {"xhci", "hub", "hub2", "type"}
        listed = {entry["name"] for entry in self.qmp("qom-list", path="/machine/peripheral")}
        return sorted(listed - built_in)

    def push_onboard(self):
        """Brings the lab's helpers into the machine: not part of the image, so they can change without a rebuild."""
        self.ssh.put_tree(paths.LAB / "onboard", "/usr/local/sbin")
        self.ssh.put_tree(paths.LAB.parent / "serial", "/usr/local/lib/lab")


def prefer(pid):
    """Gives the machines precedence over the compilers that may be busy here: emulated time must not stand still."""
    try:
        os.setpriority(os.PRIO_PROCESS, pid, -10)
        Path(f"/proc/{pid}/autogroup").write_text("-10")  # where sessions compete, not processes
    except OSError:
        pass  # not root, or no such scheduler


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
