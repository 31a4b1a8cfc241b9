"""No driver of the node ever meets an imported device: a keyboard would type on its console, a disk be scanned by
its LVM. Watched all the while: the node's kernel log, its input and its block devices, and who is bound to what."""

import contextlib

import pytest

from lab.gadget import Gadget
from scenarios.plug_while_running import imports

pytestmark = pytest.mark.unseen

KEYBOARD = Gadget(name="keys", kind="hid", vendor=0x05AC, product=0x0220, serial="K1", text="Keyboard", socket=0)
DISK = Gadget(name="disk", kind="mass_storage", vendor=0x0525, product=0xA4A5, serial="D1", text="Disk", socket=1)
BOARD = Gadget(name="board", socket=2)
TWO = Gadget(name="two", kind="two_configurations", vendor=0x1D6B, product=0x0104, serial="T1", text="Two", socket=3)

# Drivers as sysfs shows them, of interfaces below vhci's root hubs: usbfs is QEMU's, "none" is nobody's.
WATCH = """
import glob, os, time
seen = set()
while True:
    for interface in glob.glob("/sys/devices/platform/vhci_hcd.*/usb*/*-*/*:*.*"):
        try:
            driver = os.path.basename(os.readlink(interface + "/driver"))
        except OSError:
            continue
        if driver not in seen:
            seen.add(driver)
            print(driver, flush=True)
    time.sleep(0.002)
"""


@contextlib.contextmanager
def watched(node):
    """Yields nothing; afterwards nothing of the node may have met a device."""
    def outside():
        return (node.run("ls /dev/input /sys/block | sort"),
                node.run("dmesg | grep -cE 'input: |usb-storage|ttyACM|sd [0-9]|hid-generic' || true"))
    before = outside()
    node.run("cat >/tmp/watch.py; rm -f /tmp/met; systemd-run --quiet --collect --unit=lab-watch "
             "-p StandardOutput=file:/tmp/met python3 /tmp/watch.py", input=WATCH)
    try:
        yield
    finally:
        node.run("systemctl stop lab-watch")
    met = set(node.read("/tmp/met").split())
    assert met == {"usbfs"}, f"bound to imports on the node: {met}; usbfs is QEMU's"
    assert outside() == before


def everything_in_guest(longcord, lab):
    vm = lab.node.vm(100)
    vm.ensure_running()
    vm.write_rules("workbench")
    for gadget in (KEYBOARD, DISK, BOARD):
        lab.pi.plug(gadget)
        longcord.allow(gadget)
    vm.guest.wait_input()
    vm.guest.wait_disk("sda")
    vm.guest.wait_tty("ttyACM0")
    return vm


def ids(vm):
    return [line.split("ID: ")[1].strip() for line in vm.hmp("info usb").splitlines() if "ID: usbhost" in line]


def test_import_plug_unplug_and_a_rule_that_goes(longcord, lab):
    with watched(lab.node):
        vm = everything_in_guest(longcord, lab)
        vm.remove_rules()
        vm.guest.wait_no_tty("ttyACM0")
        lab.wait(lambda: not imports(lab.node), what="vhci to be empty")


def test_a_device_del_typed_by_hand(longcord, lab):
    with watched(lab.node):
        vm = everything_in_guest(longcord, lab)
        for name in ids(vm):
            vm.qmp("device_del", id=name)
        lab.wait(lambda: len(ids(vm)) == 3, timeout=120, what="all three to be plugged again")


def test_the_vm_is_stopped_and_its_qemu_killed(longcord, lab):
    with watched(lab.node):
        vm = everything_in_guest(longcord, lab)
        vm.stop()
        lab.wait(lambda: not imports(lab.node), what="vhci to be empty")
        vm.start()
        vm.guest.wait_tty("ttyACM0")
        vm.kill()
        lab.wait(lambda: not imports(lab.node), what="vhci to be empty")


def test_the_service_is_killed_while_they_are_plugged_and_then_somebody_takes_them_out(longcord, lab):
    """The claims of vhci's ports are systemd's while there is no service."""
    with watched(lab.node):
        vm = everything_in_guest(longcord, lab)
        names = ids(vm)
        lab.node.run("systemctl kill -s KILL longcord-host")
        for name in names:
            vm.qmp("device_del", id=name)
        longcord.wait_linked()
        lab.wait(lambda: len(ids(vm)) == 3, timeout=120, what="all three to be plugged again")


def test_a_guest_that_selects_the_other_configuration(longcord, lab):
    with watched(lab.node):
        vm = lab.node.vm(100)
        vm.ensure_running()
        vm.write_rules("workbench")
        lab.pi.plug(TWO)
        longcord.allow(TWO)
        first, second = ("ttyACM0", "sda")
        lab.wait(lambda: vm.guest.sees("tty") or vm.guest.sees("disk"), timeout=120, what="the guest to take one")
        if vm.guest.sees("tty"):
            vm.guest.run("select_configuration 1d6b 2")
            vm.guest.wait_disk(second)
            vm.guest.run("select_configuration 1d6b 1")
            vm.guest.wait_tty(first)
        else:
            vm.guest.run("select_configuration 1d6b 1")
            vm.guest.wait_tty(first)
            vm.guest.run("select_configuration 1d6b 2")
            vm.guest.wait_disk(second)


def test_somebody_elses_attach_works_as_it_did_before(longcord, lab):
    """An admin's own `usbip attach` beside ours: the node's own driver takes it, also after vhci_hcd was loaded anew."""
    vm = lab.node.vm(100)
    vm.ensure_running()
    vm.remove_rules()
    place = lab.pi.plug(BOARD)
    busid = place.split("/")[1]
    for _ in range(2):
        longcord.serve_plain_clients()
        lab.node.run(f"usbip attach -r {lab.pi.address} -b {busid}")
        lab.wait(lambda: "ttyACM" in lab.node.run("ls /dev"), what="the node's own tty")
        port = [row for row in imports(lab.node)][0].split()[1]
        lab.node.run(f"usbip detach -p {int(port)}")
        lab.wait(lambda: not imports(lab.node), what="vhci to be empty")
        lab.node.run("systemctl stop longcord-host; rmmod vhci-hcd; modprobe vhci-hcd; systemctl start longcord-host")
        longcord.wait_linked()
