"""What never leaves the Pi, whatever its admin says: a disk with a mounted file system, and a network adapter; not
when they are plugged in first, and not in the place of a board that was exported."""

import pytest

from lab.gadget import Gadget

BOARD = Gadget(socket=0)
DISK = Gadget(name="disk", kind="mass_storage", vendor=0x0525, product=0xA4A5, serial="D1", text="Disk", socket=1)
NETWORK = Gadget(name="net", kind="ecm", vendor=0x0525, product=0xA4A1, serial="N1", text="Ethernet", socket=0)


def block_device(lab, busid):
    found = f"ls -d /sys/bus/usb/devices/{busid}/{busid}:1.0/host*/target*/*/block/* 2>/dev/null; true"
    return lab.wait(lambda: lab.pi.run(found).split(), what="the Pi to have the disk")[0].rsplit("/", 1)[1]


def stays(longcord, lab, busid, why):
    lab.wait(lambda: why in (longcord.pi_device(busid)["why"] or ""), what=f"the Pi to say why it keeps {busid}")
    assert not longcord.pi_device(busid)["exported"]
    assert lab.pi.run(f"readlink /sys/bus/usb/devices/{busid}/driver").strip().endswith("/usb")


def test_a_mounted_disk_stays_until_it_is_unmounted(longcord, lab):
    busid = lab.pi.plug(DISK).split("/")[1]
    disk = block_device(lab, busid)
    lab.pi.run(f"mkfs.minix /dev/{disk} && mkdir -p /mnt/lab && mount -t minix /dev/{disk} /mnt/lab && echo mine >/mnt/lab/file")
    try:
        refused = lab.pi.run(["longcord", "mode", busid, "usbip"], check=False)
        assert refused.returncode == 4 and "unmount it first" in refused.stderr
        assert not longcord.pi_device(busid)["exported"]
        assert lab.pi.run("cat /mnt/lab/file").strip() == "mine"
    finally:
        lab.pi.run("umount /mnt/lab")
    lab.pi.run(["longcord", "mode", busid, "usbip"])
    lab.wait(lambda: longcord.pi_device(busid)["exported"], what="the disk to be exported once nothing is mounted")
    lab.pi.run(["longcord", "mode", busid, "default"])
    lab.wait(lambda: not longcord.pi_device(busid)["exported"], what="the disk to be the Pi's again")


@pytest.mark.more
def test_a_mounted_disk_stays_though_pi_yaml_exports_it(longcord, lab, pi_settings):
    busid = lab.pi.plug(DISK).split("/")[1]
    disk = block_device(lab, busid)
    lab.pi.run(f"mkfs.minix /dev/{disk} && mkdir -p /mnt/lab && mount -t minix /dev/{disk} /mnt/lab && echo mine >/mnt/lab/file")
    try:
        pi_settings(f"export:\n  ids: [ '{DISK.ids}' ]\n")
        stays(longcord, lab, busid, "in use on this machine")
        assert lab.pi.run("cat /mnt/lab/file").strip() == "mine"
    finally:
        lab.pi.run("umount /mnt/lab")
    lab.wait(lambda: longcord.pi_device(busid)["exported"], timeout=120, what="the disk to be exported once it is free")


@pytest.mark.more
def test_a_network_adapter_stays_in_the_place_of_a_board_whose_mode_is_usbip(longcord, lab):
    busid = lab.pi.plug(BOARD).split("/")[1]
    lab.pi.run(["longcord", "mode", busid, "usbip"])
    lab.wait(lambda: longcord.pi_device(busid)["exported"], what="the board to be exported")
    lab.pi.unplug(BOARD)
    try:
        lab.pi.plug(NETWORK)
        stays(longcord, lab, busid, "it is a network adapter")
        refused = lab.pi.run(["longcord", "mode", NETWORK.ids, "usbip"], check=False)
        assert refused.returncode == 4 and "it is a network adapter" in refused.stderr
    finally:
        lab.pi.unplug(NETWORK)
        lab.pi.run(["longcord", "mode", busid, "default"])
