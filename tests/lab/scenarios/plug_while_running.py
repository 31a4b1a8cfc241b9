"""The main path: a board plugged into the Pi is a tty of the running VM, and leaves it when it is pulled."""

import pytest

from lab.gadget import Gadget

BOARD = Gadget(vendor=0x1A86, product=0x55D4, serial="0001", socket=0)


def test_a_board_comes_and_goes(longcord, lab):
    vm = lab.node.vm(100)
    vm.ensure_running()
    vm.write_rules("workbench 1a86:55d4")
    place = lab.pi.plug(BOARD)
    vm.guest.wait_tty("ttyACM0", "1a86:55d4", serial="0001")
    assert f"ID: usbhost-{place.replace('/', '-')}" in vm.hmp("info usb")
    everything = bytes(range(256))
    assert lab.echo_through(BOARD, vm, "ttyACM0", everything) == everything

    lab.pi.unplug(BOARD)
    vm.guest.wait_no_tty("ttyACM0")
    lab.wait(lambda: not vm.plugged(), what="QEMU to have nothing of ours")
    lab.wait(lambda: not imports(lab.node), what="vhci to be empty")


@pytest.mark.more
def test_no_driver_of_the_node_meets_the_board(longcord, lab):
    vm = lab.node.vm(100)
    vm.ensure_running()
    vm.write_rules("workbench 1a86:55d4")
    before = lab.node.run("dmesg | grep -c 'cdc_acm.*ttyACM' || true")
    lab.pi.plug(BOARD)
    vm.guest.wait_tty("ttyACM0")
    vm.remove_rules()
    vm.guest.wait_no_tty("ttyACM0")
    lab.wait(lambda: not imports(lab.node), what="vhci to be empty")
    assert lab.node.run("dmesg | grep -c 'cdc_acm.*ttyACM' || true") == before


@pytest.mark.more
def test_a_full_speed_board_follows_a_high_speed_one_on_the_same_port(longcord, lab):
    """vhci forgets no speed by itself, and the kernel would take the second for what the first was."""
    vm = lab.node.vm(100)
    vm.ensure_running()
    vm.write_rules("workbench")
    lab.pi.plug(BOARD)
    vm.guest.wait_tty("ttyACM0")
    lab.pi.unplug(BOARD)
    lab.wait(lambda: not imports(lab.node), what="vhci to be empty")
    lab.pi.plug_local("ftdi", "usb-serial", port="2")
    vm.guest.wait_tty("ttyUSB0", "0403:6001")
    busid = imports(lab.node)[0].split()[-1]
    assert f"usb {busid}: new high-speed" in lab.node.run("dmesg"), "it has a port that a high speed board had"
    assert lab.node.run(f"cat /sys/bus/usb/devices/{busid}/speed").strip() == "12"


def imports(node):
    """The rows of vhci's ports that are not free (state 4)."""
    rows = node.run("cat /sys/devices/platform/vhci_hcd.0/status*").splitlines()
    return [row for row in rows if row[:2] in ("hs", "ss") and row.split()[2] != "004"]
