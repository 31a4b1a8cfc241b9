"""The bench's rougher tools: reboots, power cuts, cold boots, crashes. Without the product, and on demand:
tests/lab/run -m long"""

import pytest

from lab.gadget import Gadget

pytestmark = pytest.mark.long


@pytest.fixture(autouse=True)
def bench_alone(lab):
    if lab.product:
        pytest.skip("Longcord is installed: a bench scenario wants the bench alone")


def test_a_gadget_stays_plugged_while_the_pi_reboots(lab):
    board = Gadget(name="board", serial="0007", socket=3)
    lab.pi.plug(board)
    lab.pi.wait_for_device(board)
    lab.pi.reboot()
    busid = lab.pi.wait_for_device(board)
    assert lab.pi.read(f"/sys/bus/usb/devices/{busid}/serial").strip() == "0007"


def test_a_power_cut_says_nothing_and_loses_what_was_not_on_disk(lab):
    before = lab.pi.boot_id()
    lab.pi.power_cut()
    assert lab.node.run("ping -c1 -W2 workbench", check=False).returncode != 0
    lab.pi.power_on()
    assert lab.pi.boot_id() != before
    lab.wait(lambda: lab.node.run("ping -c1 -W5 workbench", check=False).returncode == 0, what="the Pi to be back")


def test_two_guests_run_at_once_and_one_crashes(lab):
    one, other = lab.node.vm(100), lab.node.vm(101)
    one.ensure_running()
    other.ensure_running()
    assert other.guest.run("hostname") == "guest\n"
    other.kill()
    assert not other.running()
    assert lab.node.run("ls /var/run/qemu-server").split() == ["100.pid", "100.qmp", "101.pid", "101.qmp"]
    other.start()
    other.stop()
    assert lab.node.run("ls /var/run/qemu-server").split() == ["100.pid", "100.qmp"]
    assert one.guest.run("echo alive") == "alive\n"


def test_the_hookscript_hears_every_phase(lab):
    vm = lab.node.vm(101)
    lab.node.put('#!/bin/sh\necho "$@" >>/tmp/phases\n', "/var/lib/vz/snippets/note", mode="755")
    lab.node.run("rm -f /tmp/phases")
    vm.stop()
    vm.configure(hookscript="local:snippets/note")
    try:
        vm.start()
        vm.stop()
    finally:
        vm.configure()
    assert lab.node.read("/tmp/phases").splitlines() == ["101 pre-start", "101 post-start", "101 pre-stop", "101 post-stop"]


def test_a_guest_boots_from_its_firmware_up(lab):
    vm = lab.node.vm(101)
    vm.start(cold=True)
    ready = next(line for line in vm.guest.log() if line.startswith("LAB ready"))
    print(ready)
    vm.stop()
