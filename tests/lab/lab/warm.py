"""Booted guests to continue from: made here, where the emulator runs once and not within another, and much faster.

The state fits any VM with the same hardware. It is made when a hardware is started for the first time and cached
beside the guest's initramfs; the node continues it with -incoming, as a hibernated VM is resumed.
"""

import importlib.machinery
import importlib.util
import subprocess
import tempfile
import time
from pathlib import Path

from lab import paths, qmp
from lab.progress import step
from lab.wait import wait


def prepare(vm):
    """Sees to it that the node has a saved state for this VM's hardware."""
    qm = load_qm()
    with tempfile.TemporaryDirectory(prefix="longcord-lab-") as folder:
        qm.CONFIGS = qm.RUN = qm.LAB_RUN = Path(folder)
        (qm.CONFIGS / f"{vm.vmid}.conf").write_text(vm.node.read(vm.config_path))
        line = qm.command_line(str(vm.vmid), qm.config(str(vm.vmid)), f"{folder}/console")
        name = qm.saved_state(line).name
        images = vm.node.images
        state = images.guest.parent / f"state-{name}"
        if not state.exists():
            with step(f"booting a guest to continue from ({name})"):
                line[line.index("/var/lib/lab/vmlinux")] = str(images.kernel)
                line[line.index("/var/lib/lab/guest.img")] = str(images.guest)
                if "-D" in line:  # a log that is for the node
                    line[line.index("-D") + 1] = f"{folder}/log"
                make(line, Path(folder), vm.vmid, state)
    target = f"/var/lib/lab/states/{name}"
    if vm.node.run(f"test -e {target} && echo there", check=False).stdout == "":
        with step("bringing it to the node"):
            vm.node.put(state, target)
            vm.node.run("sync")  # half of it, after a power cut, would keep QEMU busy for ever


def make(line, folder, vmid, state):
    line.remove("-daemonize")
    qemu = subprocess.Popen(line, stdin=subprocess.DEVNULL)
    try:
        wait(lambda: "LAB ready" in (folder / "console").read_text() or qemu.poll() is not None, 300, "the guest to boot")
        time.sleep(2)  # the guest's last words of booting; nothing depends on it
        monitor = folder / f"{vmid}.qmp"
        draft = state.with_suffix(".draft")
        qmp.converse(monitor, [("migrate", {"uri": f"exec:zstd -q >{draft}"})])
        wait(lambda: qmp.command(monitor, "query-migrate").get("status") == "completed", 120, "the state to be saved")
        draft.rename(state)
    finally:
        qemu.kill()
        qemu.wait()


def load_qm():
    """onboard/qm as a module: the hardware is described in one place."""
    loader = importlib.machinery.SourceFileLoader("lab_qm", str(paths.LAB / "onboard/qm"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("lab_qm", loader))
    loader.exec_module(module)
    return module
