"""Somebody types device_del in the VM's monitor: plugged again once; again and again, it is held off. Somebody takes
its authorisation from an import: it has it again."""

import pytest

from lab.gadget import Gadget

BOARD = Gadget(socket=0)


@pytest.fixture
def plugged(longcord, lab):
    """VM 100, and the place of the board that it has."""
    vm = lab.node.vm(100)
    vm.ensure_running()
    vm.write_rules("workbench")
    place = lab.pi.plug(BOARD)
    vm.guest.wait_tty("ttyACM0")
    longcord.wait_state(place, "plugged")
    return vm, place


def test_once_is_mended_twice_is_respected(plugged, longcord, lab):
    vm, place = plugged
    name = f"usbhost-{place.replace('/', '-')}"
    heard = vm.guest.mark()
    vm.hmp(f"device_del {name}")
    lab.wait(lambda: vm.guest.said("LAB tty- ttyACM0", heard) and vm.guest.said("LAB tty+ ttyACM0", heard),
             timeout=60, what="the guest to lose the tty and have it again")
    longcord.wait_state(place, "plugged")
    vm.hmp(f"device_del {name}")
    longcord.wait_state(place, "held_off")
    vm.guest.wait_no_tty("ttyACM0")

    lab.pi.replug(BOARD)  # a person has been at it: that counts for more than what was typed
    vm.guest.wait_tty("ttyACM0")


@pytest.mark.more
def test_an_import_that_somebody_deauthorised_is_authorised_and_plugged_again(plugged, longcord, lab):
    vm, place = plugged
    heard = vm.guest.mark()
    lab.node.run("for file in /sys/devices/platform/vhci_hcd.*/usb*/[0-9]*-[1-9]/authorized; do echo 0 >$file; done")
    lab.wait(lambda: vm.guest.said("LAB tty- ", heard) and vm.guest.said("LAB tty+ ", heard),
             timeout=60, what="the guest to lose the tty and have it again")
    longcord.wait_state(place, "plugged")
