"""A node loses its power; its VM is started on the other one and has its board there."""

import time

import pytest

from lab.gadget import Gadget

BOARD = Gadget(socket=2)


@pytest.mark.more
def test_the_other_node_takes_the_dead_ones_vm_and_board(longcord, cluster, lab):
    vm = lab.node.vm(100)
    vm.ensure_running()
    vm.write_rules("workbench")
    place = lab.pi.plug(BOARD)
    vm.guest.wait_tty("ttyACM0")
    longcord.wait_state(place, "plugged")
    lab.node.run("sync")
    lab.node.power_cut()
    try:
        off = time.time()
        vm.move_config(lab.node2)
        vm.start()
        vm.guest.wait_tty("ttyACM0")
        print(f"in the guest on node2 {time.time() - off:.1f} s after the power was cut")
        assert lab.echo_through(BOARD, vm) == b"longcord\r\n"
        cluster.wait_state(place, "plugged")
        lab.wait(lambda: lab.node2.read("/etc/pve/nodes/node2/qemu-server/100.usb.conf") == "workbench\n",
                 what="the rules file to follow")
    finally:
        lab.node.power_on()
    # The dead node comes back and finds that the board is not its own any more.
    longcord.wait_linked()
    heard = vm.guest.mark()
    lab.wait(lambda: longcord.device(place), what="node to hear of the board")
    assert lab.echo_through(BOARD, vm) == b"longcord\r\n"
    assert not vm.guest.said("LAB tty-", heard)
    vm.stop()
