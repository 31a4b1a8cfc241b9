"""A snapshot with RAM that is made with `vm quiesce` loads, and the board is there before and after."""

import pytest


@pytest.fixture
def plugged(longcord, lab):
    """VM 100 with the node's own board in it; afterwards as it was."""
    vm = lab.node.vm(100)
    vm.ensure_running()
    lab.node.plug_local("board", "usb-serial", port="1.2.1")
    vm.write_rules("1-1.2.1")
    vm.guest.wait_tty("ttyUSB0", "0403:6001")
    longcord.wait_state("1-1.2.1", "plugged")
    yield vm
    vm.kill()
    lab.node.run("rm -f /var/lib/lab/vm-100-state-*")
    vm.configure()


def test_one_made_with_quiesce_loads_as_it_is(plugged, longcord, lab):
    vm = plugged
    heard = vm.guest.mark()
    lab.node.run("longcord vm quiesce 100 -- qm snapshot 100 before", timeout=300)
    assert vm.guest.said("LAB tty- ttyUSB0", heard)
    lab.wait(lambda: vm.guest.said("LAB tty+ ttyUSB0", heard), what="the board to be back when the snapshot is made")
    assert "will not load" not in lab.node.run("longcord status; true")
    lab.node.run("qm rollback 100 before", timeout=300)
    vm.guest.listen()
    vm.guest.wait_tty("ttyUSB0", "0403:6001")
