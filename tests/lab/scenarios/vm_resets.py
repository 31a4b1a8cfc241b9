"""The guest reboots, the VM is reset, paused, goes on: what is plugged stays plugged, and Longcord does nothing."""

import pytest

from lab.gadget import Gadget

BOARD = Gadget(socket=0)
LOCAL = "1-1.2.1"


@pytest.fixture
def vm(longcord, lab):
    """VM 100 with a Pi's board (ttyACM0) and one of the node (ttyUSB0)."""
    vm = lab.node.vm(100)
    vm.configure()
    vm.ensure_running()
    vm.write_rules("workbench", LOCAL)
    vm.place = lab.pi.plug(BOARD)
    lab.node.plug_local("board", "usb-serial", port="1.2.1")
    vm.guest.wait_tty("ttyACM0")
    vm.guest.wait_tty("ttyUSB0")
    for place in (vm.place, LOCAL):
        longcord.wait_state(place, "plugged")
    yield vm
    if vm.running():
        vm.qmp("cont")


def done_since(longcord, since):
    """Kinds of what was done to devices."""
    steps = {"imported", "plugged", "unplugged", "detached", "failed"}
    return [event["message"] for event in longcord.events(since) if event["kind"] in steps]


@pytest.mark.parametrize("how", ["the guest reboots", pytest.param("the VM is reset", marks=pytest.mark.more)])
def test_what_was_plugged_is_there_when_the_guest_is_up_again(vm, longcord, lab, how):
    since, heard, ids = longcord.last_event(), vm.guest.mark(), vm.plugged()
    if how == "the guest reboots":
        vm.guest.run("(sleep 1; reboot -f) >/dev/null 2>&1 &")
    else:
        vm.qmp("system_reset")
    lab.wait(lambda: vm.guest.said("LAB ready", heard), timeout=600, what="the guest to boot again")
    for tty in ("ttyACM0", "ttyUSB0"):
        lab.wait(lambda: vm.guest.said(f"LAB tty+ {tty}", heard), timeout=120, what=f"{tty} in the guest")
    assert lab.echo_through(BOARD, vm) == b"longcord\r\n"
    assert vm.plugged() == ids
    assert done_since(longcord, since) == []


def test_a_paused_vm_keeps_what_it_has_and_gets_what_came_when_it_goes_on(vm, longcord, lab):
    since = longcord.last_event()
    vm.qmp("stop")
    lab.node.plug_local("more", "usb-serial", port="1.2.2")
    vm.write_rules("workbench", "1-1.2")
    lab.wait(lambda: longcord.device("1-1.2.2"), what="Longcord to see the second board")
    lab.wait(lambda: "paused" in longcord.cli("status")["vms"][0]["state"], what="Longcord to see the pause")
    # Trying is allowed: the pause is no event for us before QEMU is asked, and asking comes before plugging.
    assert all("VM is paused" in step for step in done_since(longcord, since))
    assert len(vm.plugged()) == 2
    vm.qmp("cont")
    vm.guest.wait_tty("ttyUSB1")
    assert lab.echo_through(BOARD, vm) == b"longcord\r\n"


@pytest.mark.more
def test_what_was_pulled_while_the_vm_was_paused_is_gone_when_it_goes_on(vm, longcord, lab):
    vm.qmp("stop")
    lab.pi.unplug(BOARD)
    lab.wait(lambda: longcord.device(vm.place) is None or longcord.device(vm.place)["id"] is None,
             what="Longcord to hear of it")
    assert vm.qmp("query-status")["status"] == "paused"
    vm.qmp("cont")
    vm.guest.wait_no_tty("ttyACM0")
    lab.pi.plug(BOARD)
    vm.guest.wait_tty("ttyACM0")
    assert lab.echo_through(BOARD, vm) == b"longcord\r\n"


@pytest.mark.more
def test_boards_of_the_node_below_two_hubs_that_are_there_first_are_in_the_vm_once_it_runs(vm, longcord, lab):
    vm.stop()
    longcord.wait_state(LOCAL, "unclaimed")
    lab.node.plug_local("second", "usb-serial", port="1.2.3")
    vm.write_rules("1-1")  # the hub that the other hub hangs on
    vm.start()
    vm.guest.wait_tty("ttyUSB0")
    vm.guest.wait_tty("ttyUSB1")
    assert sorted(vm.plugged()) == ["usbhost1-1.2.1", "usbhost1-1.2.3"]
