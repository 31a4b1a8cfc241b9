"""A stream that the service seals itself ends with the service, and is back soon after it: what an upgrade costs where
a kernel has no tls. (Where it has one, an upgrade costs nothing: node_package.py, apt_repository.py.)"""

import statistics
import time

import pytest

from lab.gadget import Gadget
from lab.progress import say
from scenarios.plug_while_running import imports
from scenarios.sealed_streams import sealed_by_kernel, without_tls_module

BOARD = Gadget(socket=0)
ROUNDS = 3
# Seconds that the board may be away longer than a mere plug takes, which alone is 2 to 3 s in machines that are emulated:
# what the restart itself costs has to leave something of the 3 s in which a stream has to be back.
ADDED = 2.5

pytestmark = pytest.mark.more


@pytest.fixture(params=["longcord-host", "longcord-pi"])
def relayed(request, longcord, lab):
    """A board in the guest, by a stream that this service relays, and the other end's kernel seals."""
    machine = {"longcord-host": lab.node, "longcord-pi": lab.pi}[request.param]
    vm = lab.node.vm(100)
    vm.ensure_running()
    with without_tls_module(machine):
        place = lab.pi.plug(BOARD)
        vm.write_rules("workbench")
        vm.guest.wait_tty("ttyACM0")
        longcord.wait_state(place, "plugged")
        assert sealed_by_kernel(machine) == "0"
        yield machine, request.param, vm
        lab.pi.unplug(BOARD)


def seconds_to_tty(lab, vm, since):
    """From now until the guest says that it has the board. `since` is a mark of before."""
    begun = time.time()
    lab.wait(lambda: vm.guest.when(r"LAB tty\+ ttyACM0", since), 60, "the guest to have the board again")
    return max(vm.guest.when(r"LAB tty\+ ttyACM0", since) - begun, 0)


def a_plug(lab, vm):
    """How long it takes with the service up all the while: the rule goes, and comes."""
    vm.remove_rules()
    vm.guest.wait_no_tty("ttyACM0")
    lab.wait(lambda: not imports(lab.node), what="vhci to be empty")
    heard = vm.guest.mark()
    vm.write_rules("workbench")
    return seconds_to_tty(lab, vm, heard)


def test_the_board_is_back_soon_after_the_service_that_relays_it(relayed, longcord, lab):
    machine, service, vm = relayed
    back, plugs = [], []
    for _ in range(ROUNDS):
        heard = vm.guest.mark()
        machine.run(f"systemctl restart {service}")  # what an upgrade does, and READY when it returns
        back.append(seconds_to_tty(lab, vm, heard))
        assert vm.guest.said("LAB tty- ttyACM0", heard), "the service relayed nothing"
        assert lab.echo_through(BOARD, vm) == b"longcord\r\n"
        longcord.wait_linked()
        plugs.append(a_plug(lab, vm))
    say(f"{service} restarted: the board was back " + ", ".join(f"{one:.1f}" for one in back) +
        " s after it was up; a mere plug took " + ", ".join(f"{one:.1f}" for one in plugs) + " s")
    assert statistics.median(back) - statistics.median(plugs) < ADDED
