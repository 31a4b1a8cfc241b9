"""The cable is cut without a word while the guest uses the board, and put in again."""

from lab.gadget import Gadget

BOARD = Gadget(socket=0)


def test_the_vm_answers_on_and_the_board_returns(longcord, lab):
    vm = lab.node.vm(100)
    vm.ensure_running()
    vm.write_rules("workbench")
    lab.pi.plug(BOARD)
    vm.guest.wait_tty("ttyACM0")
    vm.guest.run("hold ttyACM0")
    lab.cut_cable()
    vm.guest.wait_no_tty("ttyACM0", timeout=60)
    assert vm.qmp("query-status")["status"] == "running"
    lab.wait(lambda: not vm.plugged(), what="QEMU to have nothing of ours")
    vm.guest.run("release_all")
    lab.restore_cable()
    longcord.wait_linked()
    vm.guest.wait_tty("ttyACM0", timeout=120)
    assert lab.echo_through(BOARD, vm) == b"longcord\r\n"
