# SPDX-License-Identifier: MIT
"""A Pi of its own architecture in the place of the usual one: Debian's arm64 kernel and programs, emulated."""

import contextlib
import dataclasses
import fcntl

from lab import accel, images, install, kernel, paths, qemu, recipe, rootfs
from lab.longcord import pi_yaml
from lab.machine import free_port
from lab.pi import Pi
from lab.progress import step

CORTEX = ["-accel", "tcg,thread=multi", "-cpu", "cortex-a72"]  # a Raspberry Pi 4's
BOOT_MODULES = ["virtio_pci", "virtio_blk", "virtio_net", "ext4", "crc32c_generic"]


class ArmPi(Pi):
    hardware = qemu.ARM64
    boot_timeout = 1200


def ready(usual):
    """Its images; the nested guest and all else are the usual ones."""
    with open(paths.CACHE / "build.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made_of = ("image/arm64.packages", "lab/rootfs.py", "lab/foreign.py")
        tree = images.made("arm64-rootfs", recipe.key(*made_of), "Debian tree for arm64", rootfs.build_arm64)
        base = images.made("arm64-image", recipe.key("image", *made_of[1:], "lab/images.py", "lab/arm64.py"),
                           "arm64 image",
                           lambda folder: images.build_image(folder, tree, kernel.unpack_arm64, BOOT_MODULES))
    return dataclasses.replace(usual, disk=base / "disk.img", kernel=base / "vmlinux", boot=base / "boot.img",
                               ssh_key=base / "ssh_key")


@contextlib.contextmanager
def in_place_of_the_pi(lab):
    """Longcord is not installed on it. The usual one is back in the end, with Longcord."""
    usual, built = lab.pi, ready(lab.pi.images)
    usual.destroy()
    try:
        with step("booting an arm64 Pi"):
            change(lab, ArmPi(built, lab.run, free_port()), CORTEX)
        yield lab.pi
    finally:
        lab.pi.destroy()
        with step("booting the usual Pi again"):
            change(lab, usual, accel.choose(usual.images))
        install.bring(lab.pi, paths.STAGE / "pi", install.SERVICES["pi"])
        install.introduce(lab)
        install.tell_pi(lab, pi_yaml(*lab.nodes()))


def change(lab, machine, accelerator):
    lab.machines = [machine if other is lab.pi else other for other in lab.machines]
    lab.pi = machine
    machine.boot(lab.disks / f"{type(machine).__name__}.qcow2", accelerator)
    machine.wait_until_up()
    machine.push_onboard()
