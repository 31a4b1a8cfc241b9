"""The Pi reboots: its board leaves the guest, and returns by itself."""

from lab.gadget import Gadget

BOARD = Gadget(socket=0)


def test_the_board_returns_by_itself(longcord, lab):
    vm = lab.node.vm(100)
    vm.ensure_running()
    vm.write_rules("workbench")
    lab.pi.plug(BOARD)
    vm.guest.wait_tty("ttyACM0")
    heard = vm.guest.mark()
    lab.pi.reboot()
    lab.wait(lambda: vm.guest.said("LAB tty- ttyACM0", heard), what="the guest to say that the tty went")
    vm.guest.wait_tty("ttyACM0", timeout=180)
    assert lab.echo_through(BOARD, vm) == b"longcord\r\n"
