"""A VM starts, stops and starts again: its devices are there each time, without a hand."""

from lab.gadget import Gadget
from lab.install import HOOKSCRIPT

BOARD = Gadget(vendor=0x1A86, product=0x55D4, serial="0001", socket=0)


def test_a_board_that_is_there_first_is_in_the_vm_once_it_runs(longcord, lab):
    """The hookscript's post-start note is what wakes the service."""
    vm = lab.node.vm(100)
    if vm.running():
        vm.stop()
    vm.configure(hookscript=HOOKSCRIPT)
    vm.write_rules("workbench")
    place = lab.pi.plug(BOARD)
    longcord.wait_state(place, "unclaimed")
    vm.start(cold=True)  # from its firmware up: the board is there before the guest's kernel is
    vm.guest.wait_tty("ttyACM0", "1a86:55d4")
    assert lab.node.run("ls /run/longcord/hook").split() == []  # the notes were read


def test_a_vm_that_is_stopped_and_started_has_its_board_again(longcord, lab):
    vm = lab.node.vm(100)
    vm.configure()
    vm.ensure_running()
    vm.write_rules("workbench")
    lab.pi.plug(BOARD)
    port = vm.guest.wait_tty("ttyACM0")["port"]
    vm.stop()
    lab.wait(lambda: lab.pi.run("cat /sys/bus/usb/drivers/usbip-host/*/usbip_status").strip() == "1",
             what="the Pi to have its board back")
    vm.start()
    assert vm.guest.wait_tty("ttyACM0")["port"] == port
    assert lab.echo_through(BOARD, vm) == b"longcord\r\n"
