"""What the Pi's service does with streams that are under way: it is stopped, killed and started again beside
them, changes a device's mode below them, and finds devices that were plugged before it."""

import pytest

from lab.gadget import Gadget

BOARD = Gadget(socket=0)
SECOND = Gadget(name="second", serial="0002", socket=1)


def in_the_guest(longcord, lab):
    vm = lab.node.vm(100)
    vm.ensure_running()
    vm.write_rules("workbench")
    place = lab.pi.plug(BOARD)
    vm.guest.wait_tty("ttyACM0")
    longcord.wait_state(place, "plugged")
    return vm, place


@pytest.mark.more
def test_a_stopped_service_ends_no_stream_and_the_next_start_knows_whose_it_is(longcord, lab):
    vm, place = in_the_guest(longcord, lab)
    busid = place.split("/")[1]
    heard = vm.guest.mark()
    lab.pi.run("systemctl stop longcord-pi")
    assert lab.echo_through(BOARD, vm) == b"longcord\r\n"
    lab.pi.run("systemctl start longcord-pi")
    stream = lab.wait(lambda: longcord.pi_device(busid)["stream"], what="the stream to be adopted")
    assert (stream["state"], stream["engine"], stream["vmid"]) == ("streaming", "kernel TLS", 100)
    assert lab.echo_through(BOARD, vm) == b"longcord\r\n"
    longcord.wait_linked()
    longcord.wait_state(place, "plugged")
    assert [line for line in vm.guest.log(heard) if "LAB tty" in line] == []


def test_a_mode_changes_under_a_device_in_use_and_is_kept_across_reboot(longcord, lab):
    vm, place = in_the_guest(longcord, lab)
    busid = place.split("/")[1]
    longcord.cli("mode", busid, "off", machine=lab.pi)
    vm.guest.wait_no_tty("ttyACM0")
    lab.wait(lambda: longcord.pi_device(busid)["mode"] == "off" and not longcord.pi_device(busid)["exported"],
             what="the board to be the Pi's own")
    lab.pi.run(f"test -e /sys/bus/usb/devices/{busid}:1.0/driver")
    lab.pi.reboot()
    busid = lab.wait(lambda: lab.pi.wait_for_device(BOARD), what="the board")
    lab.wait(lambda: longcord.pi_device(busid)["mode"] == "off", what="the mode to be kept")
    longcord.cli("mode", busid, "default", machine=lab.pi)
    vm.guest.wait_tty("ttyACM0", timeout=120)
    assert lab.echo_through(BOARD, vm) == b"longcord\r\n"


@pytest.mark.more
def test_boards_that_are_there_at_the_start_are_announced_once_as_one_list(longcord, lab):
    vm = lab.node.vm(100)
    vm.ensure_running()
    vm.write_rules("workbench")
    lab.pi.plug(BOARD)
    lab.pi.plug(SECOND)
    vm.guest.wait_tty("ttyACM1")
    since = longcord.last_event()
    lab.pi.reboot()
    longcord.wait_linked()
    lab.wait(lambda: [e for e in longcord.events(since) if e["kind"] == "devices"], 180, "the Pi's list")
    vm.guest.wait_tty("ttyACM1", timeout=180)
    after = longcord.events(since)
    first = next(i for i, event in enumerate(after) if event["kind"] == "devices")
    assert not [event for event in after[first:] if event["kind"] == "added"], after


def table(lab):
    return lab.pi.run("cat /sys/bus/usb/drivers/usbip-host/match_busid").split()


@pytest.mark.more
def test_a_board_has_one_place_in_the_kernels_table_however_often_it_is_replugged(longcord, lab):
    """Of 16. The kernel gives it back when the board is unbound, and not when it is pulled out."""
    busid = lab.pi.plug(BOARD).split("/")[1]
    for _ in range(3):
        lab.wait(lambda: longcord.pi_device(busid)["exported"], what="the board to be exported")
        assert table(lab).count(busid) == 1
        lab.pi.replug(BOARD)
    lab.wait(lambda: longcord.pi_device(busid)["exported"], what="the board to be exported")
    lab.pi.run(["longcord", "mode", busid, "off"])
    lab.wait(lambda: busid not in table(lab), what="its place in the kernel's table to be free")
    lab.pi.run(["longcord", "mode", busid, "default"], check=False)
