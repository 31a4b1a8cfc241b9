"""In whatever order things start, and whatever the Pi's clock says, the board ends up in its VM."""

import pytest

from lab.gadget import Gadget

BOARD = Gadget(socket=0)


@pytest.mark.more
def test_the_pi_was_there_first(longcord, lab):
    """It knocks in vain: there is no way to the node, and then no service on it."""
    vm = lab.node.vm(100)
    vm.ensure_running()
    vm.write_rules("workbench")
    lab.node.run("systemctl stop longcord-host")
    lab.cut_cable()
    lab.pi.plug(BOARD)
    lab.pi.run("systemctl restart longcord-pi")
    lab.restore_cable()
    lab.node.run("systemctl start longcord-host")
    vm.guest.wait_tty("ttyACM0", timeout=120)


@pytest.mark.more
def test_the_node_was_there_first(longcord, lab):
    vm = lab.node.vm(100)
    vm.ensure_running()
    vm.write_rules("workbench")
    lab.pi.run("systemctl stop longcord-pi")
    lab.node.run("systemctl restart longcord-host")
    lab.pi.plug(BOARD)
    lab.pi.run("systemctl start longcord-pi")
    vm.guest.wait_tty("ttyACM0", timeout=120)


@pytest.mark.more
def test_a_pi_whose_clock_is_wrong_by_a_year(longcord, lab):
    vm = lab.node.vm(100)
    vm.ensure_running()
    vm.write_rules("workbench")
    try:
        for wrong in ("1 year ago", "2 years"):
            lab.pi.run(f"systemctl stop longcord-pi; date -s '{wrong}'; systemctl start longcord-pi")
            lab.pi.plug(BOARD)
            vm.guest.wait_tty("ttyACM0", timeout=120)
            assert lab.echo_through(BOARD, vm) == b"longcord\r\n"
            lab.pi.unplug(BOARD)
            vm.guest.wait_no_tty("ttyACM0")
    finally:
        lab.pi.run(f"date -s @{lab.node.run('date +%s').strip()}")


def test_both_lose_their_power_and_get_it_back_at_once(longcord, lab):
    vm = lab.node.vm(100)
    vm.ensure_running()
    vm.write_rules("workbench")
    lab.pi.plug(BOARD)
    vm.guest.wait_tty("ttyACM0")
    for machine in (lab.pi, lab.node):
        machine.power_cut()
    for machine in (lab.pi, lab.node):
        machine.power_on()
    vm.start()
    vm.guest.wait_tty("ttyACM0", timeout=180)
    assert lab.echo_through(BOARD, vm) == b"longcord\r\n"
