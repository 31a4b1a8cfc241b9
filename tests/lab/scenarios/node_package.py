"""A node that gets Longcord from the .deb files, and what follows: it is stopped, upgraded, removed and installed again,
while a guest has a board; and purged, while a VM's configuration names the hookscript."""

import contextlib
import threading

import pytest

from lab import install, packages
from lab.gadget import Gadget
from lab.longcord import SERVE_THE_LAB
from lab.progress import say
from scenarios.plug_while_running import imports

from later import make_later, newer  # noqa: E402  (tests/deb, by lab.packages)

BOARD = Gadget(vendor=0x1A86, product=0x55D4, serial="0001", socket=0)
OTHER = Gadget(name="other", vendor=0x10C4, product=0xEA60, serial="0002", socket=1)
HOOKSCRIPT = "/var/lib/vz/snippets/longcord-hookscript"

pytestmark = pytest.mark.packages


@pytest.fixture
def debs():
    built = packages.debs("bookworm", "amd64")
    return [built["longcord-common"], built["longcord-host"]]


def root_hubs(node):
    """What vhci's root hubs authorise by themselves, and the quirks of their ports, by the kernel's own files."""
    return node.run("cd /sys/devices/platform && for hub in vhci_hcd.*/usb*[0-9]; do "
                    "cat $hub/authorized_default $hub/interface_authorized_default $hub/*-0:1.0/*-port*/quirks; done").split()


def hostdevice(vm, place):
    """The device node that QEMU has open for it."""
    return vm.qmp("qom-get", path=f"/machine/peripheral/usbhost-{place.replace('/', '-')}", property="hostdevice")


def service(node):
    return node.run("systemctl is-active longcord-host; systemctl is-enabled longcord-host", check=False).stdout.split()


@contextlib.contextmanager
def what_is_not_ours(lab, vm):
    """A board that an administrator attached, and one that somebody typed into the VM's monitor. Yields what vhci's file
    shows of the first."""
    busid = lab.pi.plug(OTHER).split("/")[1]
    lab.wait(lambda: f"{busid}:" in lab.node.run(f"usbip list -r {lab.pi.address} 2>&1", check=False).stdout,
             what="usbip list to show the other board")
    lab.node.run(f"usbip attach -r {lab.pi.address} -b {busid}")
    lab.wait(lambda: "ttyACM" in lab.node.run("ls /dev"), what="the node's own tty")
    lab.node.plug_local("typed", "usb-serial", port="2")
    vm.qmp("device_add", driver="usb-host", id="typed", hostbus=1, hostport="2", bus="xhci.0")
    vm.guest.wait_tty("ttyUSB0", "0403:6001")
    attached, = imports(lab.node)
    try:
        yield attached
    finally:
        vm.qmp("device_del", id="typed")
        lab.node.run(f"usbip detach -p {int(attached.split()[1])}")


@contextlib.contextmanager
def lines_going(lab, board):
    """Lines go from the board to the guest and back all the while, one after the other, and none is lost. Yields them."""
    went, over = [], threading.Event()

    def talk():
        while not over.is_set():
            line = b"line %d\r\n" % len(went)
            went.append(lab.pi.exchange(board, line, line))
    talker = threading.Thread(target=lambda: went.append(talk()), daemon=True)
    talker.start()
    try:
        yield went
    finally:
        over.set()
        talker.join()
    assert went.pop() is None and went, "every line came back"


def test_installed_stopped_upgraded_removed_and_installed_again(longcord, lab, debs, pi_settings, tmp_path):
    pi_settings(SERVE_THE_LAB)
    vm = lab.node.vm(100)
    vm.ensure_running()
    later = [make_later(deb, tmp_path, newer) for deb in debs]
    with packages.node_without_longcord(lab):
        lab.node.run("modprobe vhci_hcd && udevadm settle")
        as_the_kernel_has_them = root_hubs(lab.node)
        lab.node.run("modprobe -r vhci_hcd")

        packages.install_files(lab.node, *debs)
        assert service(lab.node) == ["active", "enabled"]
        assert root_hubs(lab.node) not in ([], as_the_kernel_has_them)
        longcord.wait_linked()
        with what_is_not_ours(lab, vm) as attached:
            vm.write_rules("workbench 1a86:55d4")
            place = lab.pi.plug(BOARD)
            vm.guest.wait_tty("ttyACM0", BOARD.ids, serial="0001")
            longcord.wait_state(place, "plugged")
            heard, opened = vm.guest.mark(), hostdevice(vm, place)
            vm.guest.run("echo_on ttyACM0")

            lab.node.run("systemctl stop longcord-host")
            with lines_going(lab, BOARD) as lines:
                lab.wait(lambda: len(lines) > 2, what="some lines")
            assert hostdevice(vm, place) == opened
            lab.node.run("systemctl start longcord-host")
            longcord.wait_linked()

            old = longcord.service_pid(lab.node, "longcord-host")
            with lines_going(lab, BOARD) as lines:
                packages.install_files(lab.node, *later)
                longcord.wait_linked()
                longcord.wait_state(place, "plugged")
            say(f"{len(lines)} lines went to the guest and back while apt upgraded longcord-host")
            assert packages.version(lab.node, "longcord-host").endswith(".1~deb12")
            assert longcord.service_pid(lab.node, "longcord-host") not in (0, old)
            assert service(lab.node) == ["active", "enabled"]
            assert hostdevice(vm, place) == opened
            vm.guest.run("echo_off ttyACM0")
            assert [line for line in vm.guest.log(heard) if "LAB tty" in line] == [], "the guest kept both"

            say(packages.apt(lab.node, "remove longcord-host"))
            vm.guest.wait_no_tty("ttyACM0")
            assert vm.plugged() == {"typed": True}
            assert imports(lab.node) == [attached]
            assert root_hubs(lab.node) == as_the_kernel_has_them
            assert "ttyACM" in lab.node.run("ls /dev")
            assert "ttyUSB0" in vm.guest.sees("tty")
            assert lab.node.run("pgrep -a longcord || true") == ""
            assert lab.node.run(f"ls {HOOKSCRIPT} /usr/sbin/longcord-host", check=False).stdout == ""

            packages.install_files(lab.node, *later)
            assert service(lab.node) == ["active", "enabled"]
            vm.guest.wait_tty("ttyACM0", BOARD.ids)
            assert lab.echo_through(BOARD, vm) == b"longcord\r\n"
            vm.remove_rules()
            vm.guest.wait_no_tty("ttyACM0")


def test_purged_while_a_vm_names_the_hookscript_and_the_vm_starts(longcord, lab, debs):
    vm = lab.node.vm(100)
    with contextlib.ExitStack() as stack:
        stack.enter_context(packages.node_without_longcord(lab))
        stack.callback(vm.configure)
        packages.install_files(lab.node, *debs)
        if vm.running():
            vm.stop()
        vm.configure(hookscript=install.HOOKSCRIPT)
        vm.write_rules("workbench")
        lab.pi.plug(BOARD)
        vm.start()
        vm.guest.wait_tty("ttyACM0", BOARD.ids)

        said = packages.apt(lab.node, "purge 'longcord-*'")
        say(said)
        assert "100 (on node)" in said
        vm.guest.wait_no_tty("ttyACM0")
        assert vm.plugged() == {} and imports(lab.node) == []
        assert lab.node.run("getent passwd longcord; ls -d /etc/longcord /var/lib/longcord /run/longcord",
                            check=False).stdout == ""
        vm.stop()
        vm.start()
        vm.stop()

        lab.node.run(f"mv {HOOKSCRIPT} /root/")
        assert lab.node.run("qm start 100", check=False).returncode != 0, "Proxmox starts no VM whose hookscript is missing"
        lab.node.run("mv /root/longcord-hookscript /var/lib/vz/snippets/; qm set 100 --delete hookscript; "
                     f"rm {HOOKSCRIPT}")  # as the removal said
        vm.start()
