"""Whoever dies, the other end knows within seconds and lets go: no daemon's help, no word from the dead."""

import contextlib

import pytest

from lab.gadget import Gadget
from scenarios.plug_while_running import imports

BOARD = Gadget(socket=0)


def export_status(lab, busid):
    """usbip-host's own word: 1 available, 2 used, 3 error."""
    return lab.pi.run(f"cat /sys/bus/usb/devices/{busid}/usbip_status").strip()


def board_in_guest(longcord, lab):
    vm = lab.node.vm(100)
    vm.ensure_running()
    vm.write_rules("workbench")
    place = lab.pi.plug(BOARD)
    vm.guest.wait_tty("ttyACM0")
    return vm, place.split("/")[1]


@contextlib.contextmanager
def one_way(machine, address):
    """Nothing of this machine reaches that address; the other way all is well."""
    machine.run(f"ip rule add to {address} blackhole")
    try:
        yield
    finally:
        machine.run(f"ip rule del to {address} blackhole")


def test_a_half_open_connection_is_a_dead_one(longcord, lab):
    vm, busid = board_in_guest(longcord, lab)
    vm.guest.run("hold ttyACM0")
    with one_way(lab.pi, lab.node.address):
        vm.guest.wait_no_tty("ttyACM0", timeout=60)
        assert vm.qmp("query-status")["status"] == "running"
        lab.wait(lambda: not imports(lab.node), what="the node's vhci to be empty")
        lab.wait(lambda: export_status(lab, busid) == "1", what="the Pi to have let go")
        vm.guest.run("release_all")  # before it can come back, as another name would be the guest's answer
    vm.guest.wait_tty("ttyACM0", timeout=120)
    assert lab.echo_through(BOARD, vm) == b"longcord\r\n"


def test_sshd_and_both_daemons_restart_and_no_stream_ends(longcord, lab):
    vm, busid = board_in_guest(longcord, lab)
    heard = vm.guest.mark()
    for machine, service in ((lab.node, "ssh"), (lab.node, "longcord-host"), (lab.pi, "longcord-pi")):
        machine.run(f"systemctl restart {service}")
        longcord.wait_linked()
        assert export_status(lab, busid) == "2"
        assert lab.echo_through(BOARD, vm) == b"longcord\r\n"
    assert not vm.guest.said("LAB tty- ttyACM0", heard)


@pytest.mark.more
def test_a_node_that_loses_its_power_frees_the_pis_device(longcord, lab):
    vm, busid = board_in_guest(longcord, lab)
    lab.node.power_cut()
    lab.wait(lambda: export_status(lab, busid) == "1", timeout=60, what="the Pi to have let go")
    lab.node.power_on()
    longcord.wait_linked()
    vm.ensure_running()
    vm.guest.wait_tty("ttyACM0", timeout=120)
