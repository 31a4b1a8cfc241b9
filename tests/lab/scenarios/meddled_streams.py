"""Somebody on the network changes what goes by: the kernels' own seals notice it, that stream ends, and no other. What
our own process does as a seal is shown by tests/process/test_pi_streams.py and test_host_streams.py."""

import pytest

from lab.gadget import Gadget
from scenarios.no_frozen_vm import host_yaml
from scenarios.sealed_streams import sealed_by_kernel

CALM = Gadget(name="calm", serial="C1", socket=0)
HIT = Gadget(name="hit", serial="H1", socket=1)


@pytest.fixture
def between(longcord, lab):
    """All streams go by way of lab-between."""
    lab.node.run("rm -f /run/lab-between; systemd-run --quiet --collect --unit=lab-between "
                 f"lab-between 3240 {lab.pi.address} 3240")
    lab.wait(lambda: lab.node.run("ss -Hltn 'sport = 3240'").strip(), what="lab-between to listen")
    with host_yaml(longcord, "pis:\n  workbench: { address: 127.0.0.1 }\n"):
        yield
    lab.node.run("systemctl stop lab-between; rm -f /run/lab-between")


def streams_ended(longcord, lab, busid):
    """The Pi's word: it knows it by its end of the socket."""
    return sum(event["kind"] == "stream-ended" and event["place"] == busid
               for event in longcord.cli("events", machine=lab.pi)["events"])


@pytest.mark.long
def test_each_change_ends_that_stream_and_nothing_else(between, longcord, lab):
    vm = lab.node.vm(100)
    vm.ensure_running()
    vm.write_rules("workbench")
    lab.pi.plug(CALM)
    calm = vm.guest.wait_tty(None, serial="C1")["name"]
    busid = lab.pi.plug(HIT).split("/")[1]
    heard = vm.guest.mark()
    for direction in ("from_pi", "from_node"):
        for how in ("flip", "replay", "swap", "cut"):
            tty = vm.guest.wait_tty(None, serial="H1")["name"]
            assert sealed_by_kernel(lab.pi) == "2"
            vm.guest.run(f"echo_on {tty}")
            ended, gone = streams_ended(longcord, lab, busid), vm.guest.mark()
            lab.node.put(f"{direction} {how}\n", "/run/lab-between")
            # Little by little, so that there is a next record, and one after it.
            lab.pi.run(f"timeout 3 sh -c 'for n in 1 2 3 4 5; do echo $n; sleep 0.1; done >{lab.pi.tty(HIT)}'; true")
            lab.wait(lambda: streams_ended(longcord, lab, busid) > ended, what=f"the stream to end: {direction} {how}")
            vm.guest.run("release_all")
            lab.wait(lambda: vm.guest.said(f"LAB tty- {tty}", gone), what=f"the board to go: {direction} {how}")
    tty = vm.guest.wait_tty(None, serial="H1")["name"]
    assert lab.echo_through(HIT, vm, tty) == b"longcord\r\n"
    assert lab.echo_through(CALM, vm, calm) == b"longcord\r\n"
    assert not vm.guest.said(f"LAB tty- {calm}", heard)
