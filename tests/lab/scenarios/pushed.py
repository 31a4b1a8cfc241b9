"""A Pi without our package: stock usbipd and ssh. It pushes with a key that was paired by hand (`longcord pair NAME
--key FILE`): `ssh longcord@node connect 1-1`."""

import pytest

from lab.gadget import Gadget
from lab.longcord import pi_yaml

BOARD = Gadget(socket=0)
SSH = ("ssh -i /root/push_key -o BatchMode=yes -o StrictHostKeyChecking=accept-new "
       "-o UserKnownHostsFile=/root/push_hosts longcord@10.77.0.1")


@pytest.fixture
def agentless(longcord, lab):
    """The Pi as somebody has it who never heard of Longcord, and its key on the node."""
    # Masked, since a board that is plugged starts it.
    lab.pi.run("systemctl mask --runtime --now --quiet longcord-pi; rm -f /root/push_key* /root/push_hosts")
    lab.pi.run("ssh-keygen -q -t ed25519 -N '' -f /root/push_key")
    lab.pi.start_usbipd()
    lab.node.put(lab.pi.read("/root/push_key.pub"), "/root/push_key.pub")
    longcord.cli("pair", "agentless", "--key", "/root/push_key.pub")
    yield longcord
    lab.node.run("longcord unpair agentless; true")
    lab.pi.stop_usbipd()
    lab.pi.run(f"usbip unbind -b {lab.pi.busid(BOARD)}; true")
    lab.pi.put(pi_yaml(*lab.nodes()), "/etc/longcord/pi.yaml")
    lab.pi.run("systemctl unmask --runtime --quiet longcord-pi; systemctl start longcord-pi")
    longcord.wait_linked()


def push(lab, words):
    return lab.pi.run(f"{SSH} {words}", check=False, timeout=120)


def bind(lab):
    lab.pi.plug(BOARD)
    busid = lab.pi.wait_for_device(BOARD)
    lab.pi.run(f"usbip bind -b {busid}")
    return busid


def test_connect_gives_the_board_to_the_vm_and_disconnect_takes_it_back(agentless, lab):
    vm = lab.node.vm(100)
    vm.ensure_running()
    vm.write_rules("agentless")
    busid = bind(lab)
    told = push(lab, f"connect {busid}")
    assert told.returncode == 0, told.stdout + told.stderr
    assert told.stdout == f"agentless/{busid} is plugged into VM 100\n"
    vm.guest.wait_tty("ttyACM0")
    assert lab.echo_through(BOARD, vm) == b"longcord\r\n"
    assert agentless.device(f"agentless/{busid}")["stream"] == "direct"
    told = push(lab, f"disconnect {busid}")
    assert (told.returncode, told.stdout) == (0, f"agentless/{busid} is let go\n")
    vm.guest.wait_no_tty("ttyACM0")


@pytest.mark.more
def test_what_is_not_bound_over_there_is_told_and_the_key_can_do_nothing_else(agentless, lab):
    lab.pi.plug(BOARD)
    busid = lab.pi.wait_for_device(BOARD)
    told = push(lab, f"connect {busid}")
    assert told.returncode == 1 and f"usbip bind -b {busid}" in told.stderr
    for words in ("id", "scp -t /tmp", "connect"):
        assert push(lab, words).returncode != 0


@pytest.mark.more
def test_unpair_takes_its_devices_back(agentless, lab):
    vm = lab.node.vm(100)
    vm.ensure_running()
    vm.write_rules("agentless")
    busid = bind(lab)
    assert push(lab, f"connect {busid}").returncode == 0
    vm.guest.wait_tty("ttyACM0")
    agentless.cli("unpair", "agentless")
    vm.guest.wait_no_tty("ttyACM0")
    lab.wait(lambda: agentless.device(f"agentless/{busid}") is None, what="the board to be forgotten")
    assert push(lab, f"connect {busid}").returncode != 0
