"""A rule is written, mended, broken and removed while everything runs."""

import pytest

from lab.gadget import Gadget

BOARD = Gadget(socket=0)


def test_a_rule_added_and_removed(longcord, lab):
    vm = lab.node.vm(100)
    vm.ensure_running()
    place = lab.pi.plug(BOARD)
    longcord.wait_state(place, "unclaimed")
    vm.write_rules(place)
    vm.guest.wait_tty("ttyACM0")
    vm.write_rules(f"!{place}", "workbench")
    vm.guest.wait_no_tty("ttyACM0")
    vm.write_rules("workbench")
    vm.guest.wait_tty("ttyACM0")
    vm.remove_rules()
    vm.guest.wait_no_tty("ttyACM0")


@pytest.mark.more
def test_a_broken_line_changes_nothing_and_is_named(longcord, lab):
    vm = lab.node.vm(100)
    vm.ensure_running()
    vm.write_rules("workbench")
    place = lab.pi.plug(BOARD)
    vm.guest.wait_tty("ttyACM0")
    longcord.wait_state(place, "plugged")
    heard = vm.guest.mark()
    vm.write_rules("# one good line and one bad one", "3-4", "3-4.")
    lab.wait(lambda: any("100.usb.conf:3:" in event["message"] for event in longcord.events()),
             what="the broken line to be named")
    assert "100.usb.conf:3:" in lab.node.run("longcord status; true")
    checked = lab.node.run("longcord rules check", check=False)
    assert checked.returncode == 1
    assert "100.usb.conf:3:" in checked.stdout + checked.stderr
    assert lab.echo_through(BOARD, vm) == b"longcord\r\n"
    assert [line for line in vm.guest.log(heard) if "LAB tty" in line] == []


@pytest.mark.more
def test_rules_of_a_vm_that_does_not_exist_are_named(longcord, lab):
    vm = lab.node.vm(100)
    vm.ensure_running()
    lab.node.put("workbench\n", "/etc/pve/qemu-server/999.usb.conf", mode="640")
    vm.write_rules("workbench")
    lab.pi.plug(BOARD)
    vm.guest.wait_tty("ttyACM0")
    assert "999" in lab.node.run("longcord status; true")
    assert "999" in lab.node.run("longcord rules check; true")
