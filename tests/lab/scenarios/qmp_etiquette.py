"""Proxmox is at the same QMP socket all the time, ten clients at once, with its own short time-outs, while devices
come and go: none of them ever fails because of us."""

import json

import pytest

from lab.gadget import Gadget

BOARD = Gadget(socket=0)
OTHER = Gadget(name="other", vendor=0x10C4, product=0xEA60, serial="0002", socket=1)


@pytest.mark.parametrize("seconds", [30, pytest.param(300, marks=pytest.mark.long)])
def test_proxmox_own_clients_never_fail(longcord, lab, seconds):
    vm = lab.node.vm(100)
    vm.ensure_running()
    vm.write_rules("workbench")
    lab.node.run("systemctl restart longcord-host")  # its longest hold is one of this scenario then
    longcord.wait_linked()
    lab.node.run(f"rm -f /tmp/pve; systemd-run --quiet --collect --unit=lab-pve -p StandardOutput=file:/tmp/pve "
                 f"pve-client /var/run/qemu-server/100.qmp {seconds}")
    rounds = 0
    while lab.node.run("systemctl is-active lab-pve || true").strip() == "active":
        for board, tty in ((BOARD, "ttyACM0"), (OTHER, "ttyACM1")):
            lab.pi.plug(board)
            vm.guest.wait_tty(tty)
        for board, tty in ((OTHER, "ttyACM1"), (BOARD, "ttyACM0")):
            lab.pi.unplug(board)
            vm.guest.wait_no_tty(tty)
        rounds += 1
    told = json.loads(lab.node.read("/tmp/pve"))
    print(f"\n{rounds} rounds of two boards; Proxmox: {told}; ours: {longcord.longest_hold()}")
    assert rounds > 0 and told["asked"] >= 10 * seconds / 2
    assert told["failed"] == []
    assert longcord.longest_hold() < 1.0
