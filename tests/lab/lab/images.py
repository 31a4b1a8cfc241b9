"""The files machines boot from, built when missing, cached by the hash of what they are made of."""

import fcntl
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lab import initramfs, kernel, paths, recipe, rootfs
from lab.progress import step

DISK_SIZE = "6G"  # sparse

BOOT_APPLETS = ["sh", "mkdir", "mount", "umount", "insmod", "switch_root"]
BOOT_MODULES = ["virtio_pci", "virtio_blk", "virtio_net", "ext4", "crc32c_generic"]

GUEST_FILES = ["watch", "kernel-log", "agent", "words"]
GUEST_APPLETS = """sh mkdir mount hostname insmod cat stty sleep usleep kill head tail md5sum setsid poweroff reboot dmesg
    ls dd date ps grep printf echo test wc od timeout lsmod""".split()
GUEST_MODULES = """xhci_pci cdc_acm ftdi_sio cp210x ch341 pl2303 usb_storage sd_mod usbhid hid_generic evdev""".split()


@dataclass
class Images:
    disk: Path         # ext4, backing file of the machines' overlays
    kernel: Path       # ELF, for machines and guest
    boot: Path         # the machines' initramfs
    guest: Path        # the nested guest's initramfs
    ssh_key: Path


def ready():
    """All images, built now if need be. Only one process builds at a time."""
    paths.CACHE.mkdir(parents=True, exist_ok=True)
    with open(paths.CACHE / "build.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        tree = made("rootfs", recipe.key("image/packages", "lab/rootfs.py"), "Debian tree (mmdebstrap)", rootfs.build)
        base = made("image", image_key(), "machine image", lambda folder: build_image(folder, tree))
        guest = made("guest", guest_key(), "guest initramfs", lambda folder: build_guest(folder, tree))
    return Images(base / "disk.img", base / "vmlinux", base / "boot.img", guest / "guest.img", base / "ssh_key")


def up_to_date(images):
    """Would `ready` give the same images now?"""
    names = {images.disk.parent.name, images.guest.parent.name}
    return names == {f"image-{image_key()}", f"guest-{guest_key()}"}


def image_key():
    return recipe.key("image", "lab/rootfs.py", "lab/images.py", "lab/initramfs.py")


def guest_key():
    return recipe.key("image/packages", "guest", "lab/images.py", "lab/initramfs.py", "onboard/qm")


def made(kind, key, what, build):
    """The folder for this recipe; older ones of the kind go, unless a running lab may still use them."""
    folder = paths.CACHE / f"{kind}-{key}"
    if not folder.exists():
        draft = paths.CACHE / f"{kind}-{key}.draft"
        shutil.rmtree(draft, ignore_errors=True)
        with step(f"building {what}"):
            build(draft)
        for old in paths.CACHE.glob(f"{kind}-*"):
            if old != draft and not paths.STATE.exists():
                shutil.rmtree(old, ignore_errors=True)
        draft.rename(folder)
    return folder


def build_image(folder, tree, unpack=kernel.unpack, modules=BOOT_MODULES):
    folder.mkdir()
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", folder / "ssh_key"], check=True)
    unpack(next((tree / "boot").glob("vmlinuz-*")), folder / "vmlinux")
    initramfs.build(folder / "boot.img", paths.LAB / "image/boot-init", {}, BOOT_APPLETS, modules, tree)
    copy = folder / "root"
    subprocess.run(["cp", "-a", "--reflink=auto", tree, copy], check=True)
    subprocess.run([paths.LAB / "image/finish", copy, folder / "ssh_key.pub"], check=True)
    (copy / "var/lib/lab").mkdir(exist_ok=True)
    shutil.copy(folder / "vmlinux", copy / "var/lib/lab/vmlinux")
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-O", "^metadata_csum", "-d", copy, folder / "disk.img", DISK_SIZE],
                   check=True)
    shutil.copy(copy / "etc/ssh/ssh_host_ed25519_key.pub", folder / "host_key.pub")
    shutil.rmtree(copy)


def build_guest(folder, tree):
    folder.mkdir()
    source = paths.LAB / "guest"
    uevents = folder / "uevents"
    subprocess.run(["gcc", "-static", "-Os", "-s", "-Wall", "-Wextra", "-o", uevents, source / "uevents.c"], check=True)
    files = {f"lab/{name}": source / name for name in GUEST_FILES} | {"bin/uevents": uevents}
    initramfs.build(folder / "guest.img", source / "init", files, GUEST_APPLETS, GUEST_MODULES, tree)
