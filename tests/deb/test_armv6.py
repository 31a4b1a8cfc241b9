# SPDX-License-Identifier: MIT
"""The processor of the first Raspberry Pi and of the Zero (ARM1176, emulated): our packages do not get on it."""
import subprocess

import pytest
from chroot import CACHE, rootfs
from conftest import REPOSITORY

PREINSTS = ("longcord-common.preinst", "longcord-pi.preinst")


@pytest.fixture(scope="module")
def busybox():
    """A shell that an ARMv6 can run; Debian's armel is for those."""
    tree = CACHE / "armel-busybox"
    if not tree.exists():
        _, sources = rootfs.debian_sources("bookworm", security=False)
        draft = tree.with_suffix(".draft")
        subprocess.run(["rm", "-rf", draft], check=True)
        subprocess.run(["mmdebstrap", "--mode=root", "--architectures=amd64,armel", "--variant=extract", "--quiet",
                        "--include=busybox-static:armel", "bookworm", draft, "-"], input=sources, text=True, check=True)
        draft.rename(tree)
    return tree / "bin/busybox"


@pytest.mark.parametrize("preinst", PREINSTS)
@pytest.mark.parametrize("processor, machine, goes_on", [("arm1176", "armv6l", False), ("cortex-a7", "armv7l", True)])
def test_the_preinst_refuses_on_armv6_with_a_sentence(preinst, processor, machine, goes_on, busybox):
    def on_it(*words):
        return subprocess.run(["qemu-arm-static", "-cpu", processor, busybox, *words], capture_output=True, text=True)
    assert on_it("uname", "-m").stdout.strip() == machine
    done = on_it("sh", REPOSITORY / "packaging/debian" / preinst, "install")
    assert (done.returncode == 0) == goes_on, done
    assert goes_on or "needs an ARMv7 or 64-bit processor; this one (armv6l" in done.stderr
