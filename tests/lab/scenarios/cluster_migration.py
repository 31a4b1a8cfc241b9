"""A running VM goes to the other node, and its board with it."""

import re
import time

import pytest

from lab.gadget import Gadget
from lab.imports import ImportWatch

BOARD = Gadget(socket=0)


def test_a_live_migration_takes_the_pis_board_along(longcord, cluster, lab):
    vm = lab.node.vm(100)
    vm.configure()
    vm.ensure_running()
    vm.write_rules("workbench", "# a comment that travels too")
    place = lab.pi.plug(BOARD)
    port = vm.guest.wait_tty("ttyACM0")["port"]
    longcord.wait_state(place, "plugged")
    heard = vm.guest.mark()
    with ImportWatch(lab.node, lab.node2) as imports:
        began = time.time()
        told = vm.migrate(lab.node2)
        lab.wait(lambda: vm.guest.when(r"LAB tty\+ ttyACM0", heard), 120, "the guest to have its board again")
        assert imports.shared() == []
        assert imports.blind() == []
        print(f"{told}{imports.story(began)}")
    left, back = (vm.guest.when(rf"LAB tty\{sign} ttyACM0", heard) for sign in "-+")
    running_again = began + float(re.search(r"\+([\d.]+) s resumed", told)[1])
    unlocked = began + float(re.search(r"\+([\d.]+) s unlocked", told)[1])
    print(f"the guest lost its board {left - began:.1f} s after the migration began, and had it again "
          f"{back - running_again:.1f} s after it ran on node2 ({back - unlocked:.1f} s after Proxmox' unlock)")

    assert lab.echo_through(BOARD, vm) == b"longcord\r\n"
    cluster.wait_state(place, "plugged")
    assert vm.guest.sees("tty")["ttyACM0"]["port"] == port
    assert lab.node.run("cat /sys/devices/platform/vhci_hcd.0/status | grep -c ' 006 '", check=False).stdout == "0\n"
    # The rules have followed, to the byte, and the old node does not have them any more.
    lab.wait(lambda: lab.node2.read("/etc/pve/nodes/node2/qemu-server/100.usb.conf")
             == "workbench\n# a comment that travels too\n", what="the rules file to follow")
    assert lab.node2.run("ls /etc/pve/nodes/node/qemu-server").split() == ["101.conf"]

    vm.migrate(lab.node)
    assert vm.guest.wait_tty("ttyACM0")["port"] == port
    assert lab.echo_through(BOARD, vm) == b"longcord\r\n"
    longcord.wait_state(place, "plugged")


@pytest.mark.more
def test_a_board_of_the_node_stays_behind_and_is_there_when_the_vm_returns(longcord, cluster, lab):
    vm = lab.node.vm(100)
    vm.ensure_running()
    vm.write_rules("1-1.2.1")
    lab.node.plug_local("board", "usb-serial", port="1.2.1")
    port = vm.guest.wait_tty("ttyUSB0")["port"]
    vm.migrate(lab.node2)
    vm.guest.wait_no_tty("ttyUSB0")
    longcord.wait_state("1-1.2.1", "unclaimed")
    vm.migrate(lab.node)
    assert vm.guest.wait_tty("ttyUSB0")["port"] == port
