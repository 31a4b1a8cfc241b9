"""No driver of the node ever meets an imported device: a keyboard would type on its console, a disk be scanned by
its LVM. Watched all the while: the node's kernel log, its input and its block devices, and who is bound to what."""

import contextlib

import pytest

from lab import vhci
from lab.gadget import Gadget
from lab.longcord import SERVE_THE_LAB
from scenarios.plug_while_running import imports

KEYBOARD = Gadget(name="keys", kind="hid", vendor=0x046D, product=0xC31C, serial="K1", text="Keyboard", socket=0)
DISK = Gadget(name="disk", kind="mass_storage", vendor=0x0525, product=0xA4A5, serial="D1", text="Disk", socket=1)
BOARD = Gadget(name="board", socket=2)
TWO = Gadget(name="two", kind="two_configurations", vendor=0x0525, product=0xA4AC, serial="T1", text="Two", socket=3)

# Drivers as sysfs shows them, of interfaces below vhci's root hubs: usbfs is QEMU's, "none" is nobody's. A driver that
# is refused is shown too for the moment in which it asks (really_probe(), drivers/base/dd.c), hence seen twice; one that
# had a device for less than that has said so in the kernel log.
WATCH = """
import glob, os, time
def bound():
    for interface in glob.glob("/sys/devices/platform/vhci_hcd.*/usb*/*-*/*:*.*"):
        try:
            yield interface, os.path.basename(os.readlink(interface + "/driver"))
        except OSError:
            pass
told, before = set(), set()
while True:
    now = set(bound())
    for interface, driver in now & before:
        if driver not in told:
            told.add(driver)
            print(driver, flush=True)
    before = now
    time.sleep(0.005)
"""


@contextlib.contextmanager
def watched(node):
    """Yields nothing; afterwards nothing of the node may have met a device."""
    def outside():
        return (node.run("ls /dev/input /sys/block | sort"),
                node.run("dmesg | grep -E 'input: .*/usb[0-9]|storage device detected|ttyACM[0-9]|sd [0-9]+:|hid-generic 0003' || true"))
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


@pytest.mark.more
def test_a_device_del_typed_by_hand(longcord, lab):
    with watched(lab.node):
        vm = everything_in_guest(longcord, lab)
        for name in ids(vm):
            vm.qmp("device_del", id=name)
        lab.wait(lambda: len(ids(vm)) == 3, timeout=120, what="all three to be plugged again")


@pytest.mark.more
def test_the_vm_is_stopped_and_its_qemu_killed(longcord, lab):
    with watched(lab.node):
        vm = everything_in_guest(longcord, lab)
        vm.stop()
        lab.wait(lambda: not imports(lab.node), what="vhci to be empty")
        vm.start()
        vm.guest.wait_tty("ttyACM0")
        vm.kill()
        lab.wait(lambda: not imports(lab.node), what="vhci to be empty")


@pytest.mark.more
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
        lab.wait(lambda: vm.guest.sees("tty") or vm.guest.sees("disk"), timeout=120, what="the guest to take one")
        since = longcord.last_event()
        for number, there in ((2, vm.guest.wait_disk), (1, vm.guest.wait_tty), (2, vm.guest.wait_disk)):
            vm.guest.run(f"select_configuration 0525 {number}")
            there()
        plugs = [event for event in longcord.events(since) if event["kind"] == "plugged"]
        assert not plugs, "it was there all the time, and QEMU was told nothing"


# Kills the service the moment that shell condition has come true.
KILL_WHEN = ("systemd-run --quiet --collect --unit=lab-cut sh -c "
             "'until {}; do sleep 0.002; done; systemctl kill -s KILL longcord-host'")
HAS_ONE_OPEN = "readlink /proc/$(cat /run/qemu-server/100.pid)/fd/* | grep -q /dev/bus/usb/"
AN_IMPORT = "grep -qh \" 00[56] \" /sys/devices/platform/vhci_hcd.0/status*"


def was_killed(lab):
    lab.wait(lambda: lab.node.run("systemctl is-active lab-cut", check=False).stdout.strip() != "active",
             what="the service to be killed at that point")


@pytest.mark.more
@pytest.mark.parametrize("point, condition", [("import", AN_IMPORT), ("plug", HAS_ONE_OPEN)])
def test_the_service_is_killed_as_soon_as_the_first_one_is_there(longcord, lab, point, condition):
    with watched(lab.node):
        lab.node.vm(100).ensure_running()
        lab.node.run(KILL_WHEN.format(condition))
        vm = everything_in_guest(longcord, lab)
        was_killed(lab)
        longcord.wait_linked()
        lab.wait(lambda: len(ids(vm)) == 3, timeout=120, what="all three to be plugged")


@pytest.mark.more
def test_the_service_is_killed_as_soon_as_the_first_one_has_left_its_vm(longcord, lab):
    with watched(lab.node):
        vm = everything_in_guest(longcord, lab)
        opened = "[ $(readlink /proc/$(cat /run/qemu-server/100.pid)/fd/* | grep -c /dev/bus/usb/) -lt 3 ]"
        lab.node.run(KILL_WHEN.format(opened))
        vm.remove_rules()
        was_killed(lab)
        lab.wait(lambda: not imports(lab.node), timeout=120, what="vhci to be empty")


@pytest.mark.more
def test_a_guest_that_selects_the_other_configuration_while_no_service_is_there(longcord, lab):
    with watched(lab.node):
        vm = lab.node.vm(100)
        vm.ensure_running()
        vm.write_rules("workbench")
        lab.pi.plug(TWO)
        longcord.allow(TWO)
        lab.wait(lambda: vm.guest.sees("tty") or vm.guest.sees("disk"), timeout=120, what="the guest to take one")
        for number, there in ((2, vm.guest.wait_disk), (1, vm.guest.wait_tty)):
            lab.node.run("systemctl kill -s KILL longcord-host")
            vm.guest.run(f"select_configuration 0525 {number}")
            there()
            longcord.wait_linked()


def test_somebody_elses_attach_works_as_it_did_before(longcord, lab, pi_settings):
    """An admin's own `usbip attach` beside ours: the node's own driver takes it, also after vhci_hcd was loaded anew."""
    vm = lab.node.vm(100)
    vm.ensure_running()
    vm.remove_rules()
    busid = lab.pi.plug(BOARD).split("/")[1]
    pi_settings(SERVE_THE_LAB)
    lab.node.run("modprobe vhci-hcd")
    for _ in range(2):
        lab.wait(lambda: f"{busid}:" in lab.node.run(f"usbip list -r {lab.pi.address} 2>&1", check=False).stdout,
                 what="usbip list to show the board")
        lab.node.run(f"usbip attach -r {lab.pi.address} -b {busid}")
        lab.wait(lambda: "ttyACM" in lab.node.run("ls /dev"), what="the node's own tty")
        port = imports(lab.node)[0].split()[1]
        lab.node.run(f"usbip detach -p {int(port)}")
        lab.wait(lambda: not imports(lab.node), what="vhci to be empty")
        lab.node.run("systemctl stop longcord-host; rmmod vhci-hcd; modprobe vhci-hcd; systemctl start longcord-host")
        longcord.wait_linked()


def test_controllers_that_come_under_the_running_service_are_prepared(longcord, lab):
    """What udev does not do: their ports' quirks. They come within a moment, and so while others are prepared."""
    with vhci.only_the_first(lab.node):
        pass
    left = "grep -L '3$' /sys/devices/platform/vhci_hcd.*/usb*/*-0:1.0/usb*-port*/quirks"
    lab.wait(lambda: lab.node.run(left, check=False).stdout == "", what="all ports to have their quirks")


@pytest.mark.more
def test_every_root_hub_is_closed_and_has_its_ports_however_often_the_module_is_loaded(longcord, lab):
    """udev closes a hub while the kernel makes it: too late is a way in, too early a hub without ports."""
    hubs = ("for hub in /sys/devices/platform/vhci_hcd.*/usb[0-9]*; do n=${hub##*/usb}; "
            "echo $n $(cat $hub/authorized_default $hub/interface_authorized_default) "
            "$(readlink $hub/$n-0:1.0/driver | grep -o 'hub$'); done")
    lab.node.run("systemctl stop longcord-host")
    try:
        for _ in range(10):
            lab.node.run("modprobe -r vhci_hcd && modprobe vhci_hcd && udevadm settle")
            seen = lab.node.run(hubs).splitlines()
            assert seen and all(line.split()[1:] == ["0", "0", "hub"] for line in seen), seen
    finally:
        lab.node.run("systemctl start longcord-host")
