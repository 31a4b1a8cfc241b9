"""A Pi that gets Longcord from the .deb files, is removed and installed again, and purged: what it exported is its own
again. (An upgrade, by name: apt_repository.py.)"""

import pytest

from lab import packages
from lab.gadget import Gadget
from scenarios.plug_while_running import imports

BOARD = Gadget(vendor=0x1A86, product=0x55D4, serial="0001", socket=0)
KEY = "/etc/longcord/id_ed25519"

pytestmark = pytest.mark.packages


def is_the_pis_own(lab, busid):
    """By its kernel: the board's own driver has it, and there is a tty."""
    lab.wait(lambda: lab.pi.run(f"readlink /sys/bus/usb/devices/{busid}:1.0/driver && ls /dev/ttyACM0",
                                check=False).stdout.split() == ["../../../../../../bus/usb/drivers/cdc_acm", "/dev/ttyACM0"],
             what=f"the Pi's own driver to have {busid}")


def files(machine):
    """Everything but what apt and dpkg keep for themselves, and logs."""
    return set(machine.run("find / -xdev -name '*longcord*' -not -path '/var/lib/dpkg/*' -not -path '/var/log/*' "
                           "-not -path '/proc/*'; ls -d /run/longcord 2>/dev/null || true").splitlines())


def in_the_guest(lab, vm):
    vm.guest.wait_tty("ttyACM0", BOARD.ids, serial="0001")
    assert lab.echo_through(BOARD, vm) == b"longcord\r\n"


def has_left(lab, vm):
    vm.guest.wait_no_tty("ttyACM0")
    lab.wait(lambda: vm.plugged() == {} and imports(lab.node) == [], what="the node to have nothing of it")


def test_installed_removed_installed_again_and_purged(longcord, lab):
    built = packages.debs("bookworm", "amd64")
    debs = [built["longcord-common"], built["longcord-pi"]]
    vm = lab.node.vm(100)
    vm.ensure_running()
    vm.write_rules("workbench 1a86:55d4")
    with packages.pi_without_longcord(lab):
        before = files(lab.pi)
        busid = lab.pi.plug(BOARD).split("/")[1]
        is_the_pis_own(lab, busid)

        packages.install_files(lab.pi, *debs)
        assert lab.pi.run("systemctl is-active longcord-pi; systemctl is-enabled longcord-pi").split() == \
            ["active", "enabled"]
        in_the_guest(lab, vm)
        key = lab.pi.read(KEY)

        packages.apt(lab.pi, "remove longcord-pi")
        is_the_pis_own(lab, busid)
        has_left(lab, vm)
        lab.pi.replug(BOARD)  # nothing claims its port, or starts a service for it
        is_the_pis_own(lab, busid)
        assert lab.pi.run("pgrep -a longcord || true") == ""

        packages.install_files(lab.pi, *debs)
        in_the_guest(lab, vm)
        assert lab.pi.read(KEY) == key, "paired as before"

        packages.apt(lab.pi, "purge 'longcord-*'")
        is_the_pis_own(lab, busid)
        has_left(lab, vm)
        assert files(lab.pi) - before == set()
        assert lab.pi.run(f"ls {KEY} /var/lib/longcord", check=False).stdout == ""
