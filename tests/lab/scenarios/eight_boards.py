"""Eight boards at once: when their VM starts each is plugged once, and none is taken out again; and they go at once."""

from lab import vhci
from lab.come_and_go import connect, disconnect, wait_gone, wait_in_guest
from lab.gadget import Gadget
from lab.install import HOOKSCRIPT

BOARDS = [Gadget(name=f"board{number}", serial=f"{number:04}", socket=number) for number in range(8)]


def test_each_is_plugged_once(longcord, lab):
    vm = lab.node.vm(100)
    vm.configure(hookscript=HOOKSCRIPT)
    vm.ensure_running()
    vm.write_rules("workbench 1a86:55d4")
    places = [lab.pi.plug(board) for board in BOARDS]
    wait_in_guest(vm, BOARDS)
    vm.stop()
    for place in places:
        longcord.wait_state(place, "unclaimed")
    since = longcord.last_event()
    vm.start()
    wait_in_guest(vm, BOARDS)
    for place in places:
        longcord.wait_state(place, "plugged")
    happened = [(event["kind"], event["place"]) for event in longcord.events(since)
                if event["kind"] in ("plugged", "unplugged", "failed", "detached")]
    assert sorted(happened) == sorted(("plugged", place) for place in places)
    # Judged by the guest and by QEMU: all eight are open, and are what the Pi has there.
    assert len(vm.plugged()) == len(BOARDS)
    seen = {vm.guest.wait_tty(f"ttyACM{number}")["serial"] for number in range(len(BOARDS))}
    assert seen == {board.serial for board in BOARDS}


def test_all_go_at_once_through_one_hub(longcord, lab):
    """A hub removes one device after the other. QEMU, told of one before its turn, waits for the hub as it lets go, and
    answers nobody meanwhile."""
    vm = lab.node.vm(100)
    vm.ensure_running()
    vm.write_rules("workbench 1a86:55d4")
    for board in BOARDS:
        lab.pi.plug(board)
    wait_in_guest(vm, BOARDS)
    disconnect(lab, BOARDS)
    wait_gone(lab, vm)
    with vhci.only_the_first(lab.node):
        connect(lab, BOARDS)
        wait_in_guest(vm, BOARDS)
        since = longcord.last_event()
        disconnect(lab, BOARDS)
        wait_gone(lab, vm)
    out = [event for event in longcord.events(since) if (event["message"] or "").startswith("unplug ")]
    assert [event["kind"] for event in out] == ["unplugged"] * len(BOARDS), out
