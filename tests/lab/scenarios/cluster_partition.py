"""The first node and the Pi cannot reach each other, the second node sees both: never do two nodes have one device."""

import time

from lab.gadget import Gadget
from lab.imports import ImportWatch

BOARD = Gadget(socket=1)


def test_the_board_goes_to_the_node_that_still_reaches_the_pi_and_never_to_both(longcord, cluster, lab):
    vm, other = lab.node.vm(100), lab.node.vm(101)
    vm.ensure_running()
    if other.running():
        other.stop()
    other.configure()
    other.move_config(lab.node2)
    other.start()
    vm.write_rules("workbench")
    place = lab.pi.plug(BOARD)
    vm.guest.wait_tty("ttyACM0")
    longcord.wait_state(place, "plugged")
    vm.guest.run("hold ttyACM0")
    with ImportWatch(lab.node, lab.node2) as imports:
        began = time.time()
        other.write_rules("workbench")
        lab.wait(lambda: "node" in (cluster.device(place) or {"why": ""})["why"], what="node2 to be told who has it")
        cut = time.time()
        lab.cut_cable(lab.node, lab.pi)
        vm.guest.wait_no_tty("ttyACM0")
        assert vm.qmp("query-status")["status"] == "running"
        other.guest.wait_tty("ttyACM0")
        assert lab.echo_through(BOARD, other) == b"longcord\r\n"
        print(f"cable cut at +{cut - began:.2f} s, in the other VM {time.time() - cut:.1f} s later\n{imports.story(began)}")

        # The network is whole again: who has it keeps it.
        vm.guest.run("release_all")
        lab.restore_cable(lab.node, lab.pi)
        longcord.wait_linked()
        lab.wait(lambda: "node2" in longcord.device(place)["why"], what="the first node to be told who has it")
        assert lab.echo_through(BOARD, other) == b"longcord\r\n"

        other.stop()
        vm.guest.wait_tty("ttyACM0")
        assert lab.echo_through(BOARD, vm) == b"longcord\r\n"
        assert imports.shared() == [], imports.story(began)
        assert imports.blind() == []
        assert [role for _, role, devids in imports.seen if devids] == ["node", "node2", "node"]
