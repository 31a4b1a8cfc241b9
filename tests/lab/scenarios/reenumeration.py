"""A board resets and comes back with another number or as another device, as bootloaders do: it is back in its VM.
One that does nothing else is held off, until it is quiet or somebody says so."""

from datetime import datetime

import pytest

from lab.gadget import Gadget

BOARD = Gadget(socket=0)
LOADER = Gadget(name="loader", vendor=0x303A, product=0x1001, serial="L1", text="USB JTAG/serial", socket=0)
LOCAL = "1-1.2.1"

# Out and in again, as often as asked; each time it waits until the Pi's kernel has enumerated the board.
BOUNCE = """set -e
gadget=/sys/kernel/config/usb_gadget/{name}
for i in $(seq {times}); do
    before=$(cat /sys/bus/usb/devices/{busid}/devnum)
    echo >$gadget/UDC
    while [ -e /sys/bus/usb/devices/{busid} ]; do sleep 0.05; done
    echo dummy_udc.{socket} >$gadget/UDC
    while [ "$(cat /sys/bus/usb/devices/{busid}/devnum 2>/dev/null || echo $before)" = $before ]; do sleep 0.05; done
    sleep {pause}
done
"""


def bounce(lab, gadget, times, pause):
    lab.pi.run(BOUNCE.format(name=gadget.name, busid=lab.pi.busid(gadget), socket=gadget.socket, times=times, pause=pause),
               timeout=300)


@pytest.fixture
def vm(longcord, lab):
    vm = lab.node.vm(100)
    vm.ensure_running()
    return vm


def test_a_pis_board_that_becomes_another_and_itself_again(vm, longcord, lab):
    vm.write_rules(lab.pi.place(BOARD))
    lab.pi.plug(BOARD)
    port = vm.guest.wait_tty("ttyACM0", BOARD.ids)["port"]
    for gone, comes in ((BOARD, LOADER), (LOADER, BOARD)):
        heard = vm.guest.mark()
        lab.pi.unplug(gone)
        lab.pi.plug(comes)
        lab.wait(lambda: vm.guest.said(f"LAB tty+ ttyACM0 {comes.ids}", heard), timeout=120, what=f"{comes.name} in the guest")
        assert vm.guest.wait_tty("ttyACM0", comes.ids)["port"] == port
        assert lab.echo_through(comes, vm) == b"longcord\r\n"


def test_a_board_of_the_node_that_becomes_another(vm, longcord, lab):
    vm.write_rules(LOCAL)
    lab.node.plug_local("board", "usb-serial", port="1.2.1")
    vm.guest.wait_tty("ttyUSB0", "0403:6001")
    since = longcord.last_event()
    lab.node.unplug_local("board")
    lab.node.plug_local("loader", "usb-kbd", port="1.2.1")
    vm.guest.wait_input("0627:0001")
    print(f"\nplugged {plugged_after_the_kernel_saw_it(longcord, lab, since):.2f} s after the node's kernel said so")
    lab.node.unplug_local("loader")
    lab.node.plug_local("board", "usb-serial", port="1.2.1")
    vm.guest.wait_tty("ttyUSB0", "0403:6001")


def plugged_after_the_kernel_saw_it(longcord, lab, since):
    """Seconds, by the node's own clock."""
    plugged = [event for event in longcord.events(since) if event["kind"] == "plugged" and event["place"] == LOCAL]
    seen = lab.node.run(f"journalctl -k -o short-unix | grep 'usb {LOCAL}: New USB device found' | tail -1")
    return datetime.fromisoformat(plugged[-1]["time"].replace("Z", "+00:00")).timestamp() - float(seen.split()[0])


@pytest.mark.more
def test_three_resets_in_a_row_are_followed(vm, longcord, lab):
    vm.write_rules("workbench")
    place = lab.pi.plug(BOARD)
    vm.guest.wait_tty("ttyACM0")
    bounce(lab, BOARD, times=3, pause=0)
    longcord.wait_state(place, "plugged")
    vm.guest.wait_tty("ttyACM0")
    assert lab.echo_through(BOARD, vm) == b"longcord\r\n"


@pytest.mark.more
def test_one_that_does_nothing_else_is_held_off_and_resume_takes_it_in(vm, longcord, lab):
    vm.write_rules("workbench")
    place = lab.pi.plug(BOARD)
    vm.guest.wait_tty("ttyACM0")
    bounce(lab, BOARD, times=9, pause=1)  # a second: each one is announced
    device = longcord.wait_state(place, "held_off")
    assert "comes and goes" in device["why"]
    assert any(event["kind"] == "held_off" and event["place"] == place for event in longcord.events())
    vm.guest.wait_no_tty("ttyACM0")
    heard = vm.guest.mark()
    longcord.cli("resume", place)
    longcord.wait_state(place, "plugged")
    # That bytes flow is not asked: in some runs nothing came from a gadget that had been pulled nine times.
    lab.wait(lambda: vm.guest.said(f"LAB tty+ ttyACM0 {BOARD.ids}", heard), timeout=120, what="the board in the guest")


@pytest.mark.long  # minutes, since each return makes the hold longer
def test_quiet_releases_it_too(vm, longcord, lab):
    vm.write_rules("workbench")
    place = lab.pi.plug(BOARD)
    vm.guest.wait_tty("ttyACM0")
    bounce(lab, BOARD, times=9, pause=1)
    longcord.wait_state(place, "held_off")
    longcord.wait_state(place, "plugged", timeout=180)  # the first hold is 30 s
    vm.guest.wait_tty("ttyACM0")
