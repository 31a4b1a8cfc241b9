"""Which accelerator the machines get. KVM may be there and hang its guests, so it has to prove itself first."""

import os
import subprocess
import tempfile
import time
from pathlib import Path

from lab import paths
from lab.progress import step

# Old enough for the emulator to do quickly, new enough for AES and a random number instruction.
TCG = ["-accel", "tcg,thread=multi", "-cpu", "Westmere,+rdrand"]
KVM = ["-accel", "kvm", "-cpu", "host"]
PROBE_SECONDS = 15


def choose(images):
    wish = os.environ.get("LONGCORD_LAB_ACCEL")
    if wish:
        return {"tcg": TCG, "kvm": KVM}[wish]
    return KVM if kvm_works(images) else TCG


def kvm_works(images):
    """Boots the guest's kernel under KVM once; the answer holds until this host boots again."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    answer = paths.CACHE / f"kvm-{boot}"
    if not answer.exists():
        with step(f"trying KVM (at most {PROBE_SECONDS} s)"):
            works = probe(images)
        for old in paths.CACHE.glob("kvm-*"):
            old.unlink()
        answer.write_text("works" if works else "useless")
    return answer.read_text() == "works"


def probe(images):
    with tempfile.NamedTemporaryFile() as console:
        qemu = subprocess.Popen(
            ["qemu-system-x86_64", *KVM, "-nodefaults", "-display", "none", "-m", "256", "-serial", f"file:{console.name}",
             "-kernel", images.kernel, "-initrd", images.guest, "-append", "console=ttyS0 quiet"],
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + PROBE_SECONDS
            while time.monotonic() < deadline and qemu.poll() is None:
                if b"LAB ready" in Path(console.name).read_bytes():
                    return True
                time.sleep(0.2)
            return False
        finally:
            qemu.kill()
            qemu.wait()
