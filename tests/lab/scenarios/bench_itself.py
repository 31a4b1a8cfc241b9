"""The bench alone, with stock tools in the product's place: so that a failing scenario speaks of the product."""

import hashlib

import pytest

from lab.gadget import Gadget

BOARD = Gadget(name="board", vendor=0x1A86, product=0x55D4, serial="0001", socket=0)


@pytest.fixture(autouse=True)
def stock_usbip(lab):
    if lab.product:
        pytest.skip("Longcord is installed: it would do this job")
    lab.node.run("modprobe vhci-hcd")
    lab.pi.run("modprobe usbip-host; systemctl start lab-usbipd 2>/dev/null || systemd-run --unit=lab-usbipd usbipd")
    yield
    lab.node.run("for port in $(usbip port | sed -n 's/^Port \\([0-9]*\\):.*/\\1/p'); do usbip detach -p $port; done")


def imported_node(lab):
    """/dev/bus/usb/... of the one device on vhci."""
    found = lab.node.run("cd /sys/devices/platform/vhci_hcd.0; for d in usb*/*-*/busnum; do "
                         "[ -e $d ] && cat $d ${d%busnum}devnum; done; true").split()
    return f"/dev/bus/usb/{int(found[0]):03}/{int(found[1]):03}" if found else None


def test_a_gadget_travels_to_the_guest_and_back(lab):
    vm = lab.node.vm(100)
    vm.ensure_running()

    lab.pi.plug(BOARD)
    busid = lab.pi.wait_for_device(BOARD)
    lab.pi.run(f"usbip bind -b {busid}")
    lab.node.run(f"usbip attach -r workbench -b {busid}")
    node = lab.wait(lambda: imported_node(lab), what="the import to enumerate on the node")
    lab.wait(lambda: lab.node.run(f"test -e {node} && echo there"), what=f"udev to make {node}")
    vm.qmp("device_add", driver="usb-host", hostdevice=node, id="usbhost-workbench-1-1", bus="xhci.0", port="1")
    assert vm.plugged() == {"usbhost-workbench-1-1": True}
    assert "usbhost-workbench-1-1" in vm.hmp("info usb")

    vm.guest.wait_tty("ttyACM0", "1a86:55d4", serial="0001")
    assert lab.echo_through(BOARD, vm, "ttyACM0", bytes(range(256))) == bytes(range(256))

    vm.qmp("device_del", id="usbhost-workbench-1-1")
    vm.guest.wait_no_tty("ttyACM0")


def test_the_guest_reads_a_local_disk_behind_a_hub(lab):
    vm = lab.node.vm(100)
    vm.ensure_running()
    lab.node.plug_local("stick", "usb-storage", port="1.2.1")
    found = lab.wait(lambda: lab.node.run("grep -l 46f4 /sys/bus/usb/devices/*/idVendor | xargs dirname"),
                     what="the node to see the stick").strip()
    bus, device = (int(lab.node.read(f"{found}/{number}")) for number in ("busnum", "devnum"))
    vm.qmp("device_add", driver="usb-host", hostdevice=f"/dev/bus/usb/{bus:03}/{device:03}", id="usbhost-stick",
           bus="xhci.0", port="2")
    vm.guest.wait_disk("sda")
    written = (lab.node.folder / "stick.disk").read_bytes()[:1 << 20]
    assert vm.guest.run("disk_sum sda 1048576").split()[0] == hashlib.md5(written).hexdigest()
    vm.qmp("device_del", id="usbhost-stick")


def test_a_cut_cable_is_silent(lab):
    assert lab.node.run("ping -c1 -W5 workbench", check=False).returncode == 0
    lab.cut_cable()
    assert lab.node.run("ping -c1 -W2 workbench", check=False).returncode != 0
    assert lab.node.read("/sys/class/net/eth1/carrier").strip() == "1"
    assert lab.pi.read("/sys/class/net/eth1/carrier").strip() == "1"
    lab.restore_cable()
    lab.wait(lambda: lab.node.run("ping -c1 -W5 workbench", check=False).returncode == 0, what="the cable to carry again")
