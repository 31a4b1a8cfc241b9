"""The bench alone, with stock tools in the product's place: so that a failing scenario speaks of the product."""

import hashlib

import pytest

from lab import stock
from lab.gadget import Gadget

BOARD = Gadget(name="board", vendor=0x1A86, product=0x55D4, serial="0001", socket=0)

pytestmark = pytest.mark.more


@pytest.fixture(autouse=True)
def stock_usbip(lab):
    if lab.product:
        pytest.skip("Longcord is installed: it would do this job")
    stock.prepare(lab)
    yield
    stock.clean_up(lab)


def test_a_gadget_travels_to_the_guest_and_back(lab):
    vm = lab.node.vm(100)
    vm.ensure_running()
    lab.pi.plug(BOARD)
    name = stock.put_into_guest(lab, BOARD, vm, port=1)
    assert vm.plugged() == {name: True}
    assert name in vm.hmp("info usb")
    vm.guest.wait_tty("ttyACM0", "1a86:55d4", serial="0001")
    assert lab.echo_through(BOARD, vm, "ttyACM0", bytes(range(256))) == bytes(range(256))
    vm.qmp("device_del", id=name)
    vm.guest.wait_no_tty("ttyACM0")


def test_unplugged_while_the_guest_has_it_open(lab):
    vm = lab.node.vm(100)
    vm.ensure_running()
    lab.pi.plug(BOARD)
    stock.put_into_guest(lab, BOARD, vm, port=1)
    vm.guest.wait_tty("ttyACM0")
    vm.guest.run("hold ttyACM0")
    lab.pi.unplug(BOARD)
    vm.guest.wait_no_tty("ttyACM0")


def test_a_stick_and_a_keyboard_on_the_pi(lab):
    vm = lab.node.vm(100)
    vm.ensure_running()
    stick = Gadget(name="stick", kind="mass_storage", vendor=0x0781, product=0x5567, socket=1, size=1 << 21)
    keyboard = Gadget(name="keys", kind="hid", vendor=0x046D, product=0xC31C, socket=2)
    lab.pi.plug(stick)
    lab.pi.plug(keyboard)
    stock.put_into_guest(lab, stick, vm, port=3)
    stock.put_into_guest(lab, keyboard, vm, port=4)
    vm.guest.wait_disk("sda", "0781:5567")
    vm.guest.wait_input("046d:c31c")
    written = lab.pi.run(f"head -c 1048576 /var/lib/lab/{stick.name}.disk | md5sum")
    assert vm.guest.run("disk_sum sda 1048576").split()[0] == written.split()[0]


def test_the_guest_reads_a_local_disk_behind_hubs(lab):
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
