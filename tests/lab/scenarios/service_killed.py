"""The service dies and comes back: it finds everything as it left it, and no guest notices."""

import pytest

from lab.gadget import Gadget

BOARD = Gadget(socket=0)


def test_kill_9_replugs_nothing(longcord, lab):
    vm = lab.node.vm(100)
    vm.ensure_running()
    vm.write_rules("workbench")
    place = lab.pi.plug(BOARD)
    vm.guest.wait_tty("ttyACM0")
    longcord.wait_state(place, "plugged")
    vm.guest.run("echo_on ttyACM0")
    heard = vm.guest.mark()
    before = vm.qmp("qom-get", path=f"/machine/peripheral/usbhost-{place.replace('/', '-')}", property="hostdevice")
    old = longcord.service_pid(lab.node, "longcord-host")

    lab.node.run(f"kill -9 {old}")
    assert lab.pi.exchange(BOARD, b"while it is dead\r\n", b"while it is dead\r\n")
    lab.wait(lambda: longcord.service_pid(lab.node, "longcord-host") not in (0, old), what="systemd to start it again")
    longcord.wait_linked()
    longcord.wait_state(place, "plugged")

    assert lab.pi.exchange(BOARD, b"and after\r\n", b"and after\r\n")
    vm.guest.run("echo_off ttyACM0")
    assert [line for line in vm.guest.log(heard) if "LAB tty" in line] == []
    assert vm.qmp("qom-get", path=f"/machine/peripheral/usbhost-{place.replace('/', '-')}",
                  property="hostdevice") == before
    done = {event["kind"] for event in longcord.events() if event["place"] == place}
    assert "adopted" in done and not done & {"imported", "plugged", "unplugged", "detached"}


def test_the_pis_service_killed_loses_nothing_either(longcord, lab):
    vm = lab.node.vm(100)
    vm.ensure_running()
    vm.write_rules("workbench")
    place = lab.pi.plug(BOARD)
    vm.guest.wait_tty("ttyACM0")
    longcord.wait_state(place, "plugged")
    vm.guest.run("echo_on ttyACM0")
    heard = vm.guest.mark()
    old = longcord.service_pid(lab.pi, "longcord-pi")
    lab.pi.run(f"kill -9 {old}")
    lab.wait(lambda: longcord.service_pid(lab.pi, "longcord-pi") not in (0, old), what="systemd to start it again")
    longcord.wait_linked()
    assert lab.pi.exchange(BOARD, b"still here\r\n", b"still here\r\n")
    vm.guest.run("echo_off ttyACM0")
    longcord.wait_state(place, "plugged")
    assert [line for line in vm.guest.log(heard) if "LAB tty" in line] == []


@pytest.mark.more
def test_a_rules_file_that_broke_meanwhile_costs_nothing(longcord, lab):
    vm = lab.node.vm(100)
    vm.ensure_running()
    vm.write_rules("workbench")
    place = lab.pi.plug(BOARD)
    vm.guest.wait_tty("ttyACM0")
    longcord.wait_state(place, "plugged")
    heard = vm.guest.mark()
    vm.write_rules("workbench", "3-4.")
    old = longcord.service_pid(lab.node, "longcord-host")
    lab.node.run(f"kill -9 {old}")
    lab.wait(lambda: longcord.service_pid(lab.node, "longcord-host") not in (0, old), what="systemd to start it again")
    longcord.wait_linked()
    lab.wait(lambda: any("stay in force" in event["message"] for event in longcord.events()), what="the file to be read")
    assert lab.echo_through(BOARD, vm) == b"longcord\r\n"
    assert [line for line in vm.guest.log(heard) if "LAB tty" in line] == []
