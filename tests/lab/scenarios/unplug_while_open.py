"""Somebody pulls the board while a program in the guest has its tty open."""

from lab.gadget import Gadget

BOARD = Gadget(socket=0)


def test_the_guest_sees_it_go_and_come_back(longcord, lab):
    vm = lab.node.vm(100)
    vm.ensure_running()
    vm.write_rules("workbench")
    lab.pi.plug(BOARD)
    vm.guest.wait_tty("ttyACM0")
    vm.guest.run("hold ttyACM0")
    lab.pi.unplug(BOARD)
    vm.guest.wait_no_tty("ttyACM0")
    vm.guest.run("release_all")
    lab.pi.plug(BOARD)
    vm.guest.wait_tty("ttyACM0")
    assert lab.echo_through(BOARD, vm) == b"longcord\r\n"
