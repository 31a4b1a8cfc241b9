# SPDX-License-Identifier: MIT
"""What was measured, as Debian names it: whoever reads a figure later has other versions."""

import subprocess

from lab import paths, recipe

IN_THE_MACHINES = ("linux-image-amd64", "openssh-server", "qemu-system-x86", "usbip")


def installed(packages, root="/"):
    done = subprocess.run(["dpkg-query", f"--admindir={root}/var/lib/dpkg", "-W", "-f", "${Package} ${Version}\\n", *packages],
                          stdout=subprocess.PIPE, text=True, check=True)
    return ", ".join(done.stdout.splitlines())


def of_the_lab():
    tree = paths.CACHE / f"rootfs-{recipe.key('image/packages', 'lab/rootfs.py')}"
    return f"{installed(['qemu-system-x86'])} as the emulator; in the machines {installed(IN_THE_MACHINES, tree)}"
