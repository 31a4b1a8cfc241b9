"""The arm64 package on a Pi of its own architecture: what is plugged in there arrives in the amd64 node's guest."""

import pytest

from lab import arm64, install, packages
from lab.gadget import Gadget
from lab.longcord import Longcord, pi_yaml

BOARD = Gadget(vendor=0x1A86, product=0x55D4, serial="0001", socket=0)
SLOW = 600

pytestmark = [pytest.mark.packages, pytest.mark.long]


def test_a_board_at_an_arm64_pi_is_the_guests(installed_lab, lab):
    debs = packages.debs("trixie", "arm64")
    vm = lab.node.vm(100)
    vm.ensure_running()
    with arm64.in_place_of_the_pi(lab) as pi:
        assert pi.run("uname -m; dpkg --print-architecture").split() == ["aarch64", "arm64"]
        for name in ("longcord-common", "longcord-pi"):
            pi.put(debs[name], f"/root/{name}.deb")
        pi.run(f"{packages.APT} install /root/longcord-common.deb /root/longcord-pi.deb", timeout=SLOW)
        assert pi.run("systemctl is-active longcord-pi").strip() == "active"
        install.introduce(lab)
        install.tell_pi(lab, pi_yaml(*lab.nodes()))
        longcord = Longcord(lab)
        longcord.wait_linked(timeout=SLOW)

        vm.write_rules("workbench 1a86:55d4")
        place = pi.plug(BOARD)
        vm.guest.wait_tty("ttyACM0", "1a86:55d4", serial="0001", timeout=SLOW)
        longcord.wait_state(place, "plugged")
        everything = bytes(range(256))
        assert lab.echo_through(BOARD, vm, "ttyACM0", everything) == everything
        pi.unplug(BOARD)
        vm.guest.wait_no_tty("ttyACM0", timeout=SLOW)
        lab.wait(lambda: not vm.plugged(), SLOW, "QEMU to have nothing of ours")
